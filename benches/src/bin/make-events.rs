//! Writes made-up audit events to standard output: `make-events NUMBER [SEED]`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let events = args.next().and_then(|text| text.parse().ok()).unwrap_or(400_000);
    let seed = args.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut load = benches::Load::new(seed, benches::Mix::default());
    let (mut made, mut line) = (0, String::new());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while made < events {
        line.clear();
        made += load.request(&mut line);
        out.write_all(line.as_bytes())?;
    }
    out.flush()
}
