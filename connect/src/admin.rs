//! The admin port: how a run is doing, for Prometheus and for whoever decides whether to start it anew.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | the figures that the run showed last, in Prometheus' text form |
//! | `/healthz` | 200 while the run moves; 503 if its loop has not come round for [`STUCK_AFTER`] |
//! | `/readyz` | 200 once it does what it is there for; 503 with what it waits for |
//!
//! One thread serves it, apart from the run: a run that hangs can be seen to hang, and who asks often slows nothing down but
//! that thread. The run hands over its figures when it likes; a scrape copies them under a lock that is held for
//! nothing else.
//!
//! Refused: methods other than `GET` and `HEAD`, more than 64 connections at a time (they wait), and requests
//! whose head takes longer than five seconds.

#[cfg(test)]
mod tests;
mod text;

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;

use crate::Error;

/// A run that has not said so long that it lives does not.
pub const STUCK_AFTER: Duration = Duration::from_secs(30);
/// So many are served at a time.
const CONNECTIONS_MAX: usize = 64;
/// The head of a request must be here by then.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Where there are no descriptors left, so long until it is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// Several figures of one name.
#[derive(Clone, Debug)]
pub struct Family {
    /// As Prometheus knows it.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: Kind,
    /// The names of what tells the figures apart.
    pub labels: &'static [&'static str],
    /// For each its labels' values and the figure.
    pub samples: Vec<(Vec<String>, f64)>,
}

/// How a figure moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// An open admin port. It is served until the process ends.
#[derive(Clone, Debug)]
pub struct Admin {
    shown: Arc<Mutex<Shown>>,
    address: SocketAddr,
}

/// What the run has shown.
#[derive(Debug)]
struct Shown {
    figures: Vec<Family>,
    lived: Instant,
    /// What is still waited for.
    waits_for: Option<String>,
}

impl Admin {
    /// Opens the port; a run that is not ready yet says so there.
    ///
    /// # Errors
    /// If it is taken, or may not be opened.
    pub fn open(address: SocketAddr) -> Result<Self, Error> {
        let failed = |cause: &std::io::Error| Error::named("listen on", &address.to_string(), cause);
        let listener = TcpListener::bind(address).map_err(|cause| failed(&cause))?;
        listener.set_nonblocking(true).map_err(|cause| failed(&cause))?;
        let address = listener.local_addr().map_err(|cause| failed(&cause))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|cause| failed(&cause))?;
        let waits_for = Some("it is being started".to_owned());
        let shown = Shown { figures: Vec::new(), lived: Instant::now(), waits_for };
        let admin = Self { shown: Arc::new(Mutex::new(shown)), address };
        let served = admin.clone();
        let thread = thread::Builder::new().name("admin".to_owned());
        let spawned = thread.spawn(move || runtime.block_on(served.serve(listener)));
        spawned.map(|_| admin).map_err(|cause| failed(&cause))
    }

    /// Where it listens: the port that was asked for, or of port 0 the one that was found.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The run's loop has come round.
    pub fn lives(&self) {
        self.shown().lived = Instant::now();
    }

    /// The run does what it is there for, or waits for something, in words.
    pub fn waits_for(&self, what: Option<String>) {
        self.shown().waits_for = what;
    }

    /// The figures as they are now.
    pub fn show(&self, figures: Vec<Family>) {
        self.shown().figures = figures;
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Whoever panicked has ended the process.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(self, listener: TcpListener) {
        // It has been set up for this; what cannot be taken over now could not be listened to either.
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let admin = self.clone();
            tokio::spawn(async move {
                let answer =
                    service_fn(|request| std::future::ready(Ok::<_, Infallible>(admin.answer(&request))));
                let mut http = hyper::server::conn::http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).keep_alive(false);
                // Whoever asked has gone away, or spoke no HTTP: there is nobody to be told.
                let _gone = http.serve_connection(TokioIo::new(stream), answer).await;
                drop(place);
            });
        }
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n".to_owned());
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match request.uri().path() {
            "/metrics" => self.metrics(),
            "/healthz" => self.healthz(),
            "/readyz" => match self.shown().waits_for.clone() {
                None => plain(StatusCode::OK, "ready\n".to_owned()),
                Some(what) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {what}\n")),
            },
            _ => plain(StatusCode::NOT_FOUND, "there is /metrics, /healthz and /readyz\n".to_owned()),
        }
    }

    fn healthz(&self) -> Response<Full<Bytes>> {
        let silent = self.shown().lived.elapsed();
        if silent < STUCK_AFTER {
            return plain(StatusCode::OK, "alive\n".to_owned());
        }
        let words = format!("the run has not moved for {} s\n", silent.as_secs());
        plain(StatusCode::SERVICE_UNAVAILABLE, words)
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let figures = self.shown().figures.clone();
        match text::of(&figures) {
            Ok(text) => {
                let mut answer = plain(StatusCode::OK, text);
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(prometheus::TEXT_FORMAT));
                answer
            }
            Err(why) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")),
        }
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
