//! What a function may give instead of what it works out: the plainest values of its type.

use syn::{GenericArgument, PathArguments, ReturnType, Type, TypePath};

/// As text, the value behind a `return`; nothing where no plain value is known.
pub(crate) fn values(output: &ReturnType) -> Vec<String> {
    match output {
        ReturnType::Default => vec!["()".to_owned()],
        ReturnType::Type(_, ty) => of(ty),
    }
}

fn of(ty: &Type) -> Vec<String> {
    match ty {
        Type::Path(path) => of_path(path),
        Type::Tuple(tuple) => {
            let parts: Vec<Vec<String>> = tuple.elems.iter().map(of).collect();
            let firsts: Option<Vec<&str>> =
                parts.iter().map(|values| values.first().map(String::as_str)).collect();
            firsts.map(|firsts| format!("({})", firsts.join(", "))).into_iter().collect()
        }
        Type::Reference(reference) if reference.mutability.is_none() => match &*reference.elem {
            Type::Slice(_) => vec!["&[]".to_owned()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn of_path(path: &TypePath) -> Vec<String> {
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(of(ty)),
                _ => None,
            })
        }
        _ => None,
    };
    let inner = inner.unwrap_or_default().into_iter();
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match last.ident.to_string().as_str() {
        "bool" => texts(&["true", "false"]),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => texts(&["0", "1"]),
        // `Nanos` is the engine's name for a time.
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "Nanos" => texts(&["0", "1", "-1"]),
        "f64" => texts(&["0.0", "1.0"]),
        "Option" => std::iter::once("None".to_owned()).chain(inner.map(|v| format!("Some({v})"))).collect(),
        "Result" => inner.map(|v| format!("Ok({v})")).collect(),
        "Box" => inner.map(|v| format!("Box::new({v})")).collect(),
        "Vec" => texts(&["Vec::new()"]),
        // A constructor has to construct.
        "Self" => Vec::new(),
        _ => texts(&["Default::default()"]),
    }
}
