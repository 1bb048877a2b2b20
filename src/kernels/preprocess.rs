//! The shaders' preprocessor: `#import file args…`, `#ifdef`/`#else`/`#endif`, `#for v in 0..N`/`#endfor`,
//! `$(sums and products)`, and one WGSL constant for each define.

use std::borrow::Cow;

use crate::texts;

/// Prefixes of the contract lines of a snippet that is imported between statements. The first lists the names that it uses from
/// the code around it, the second the names that it defines for that code. Names are separated by commas. `params.field` is a
/// parameter, `x{COUNT}` stands for numbered names, `and x with DEFINE` for a name that exists under a define only.
const TAKES: &str = "// takes: ";
const LEAVES: &str = "// leaves: ";

/// Defines whose shaders use extensions of WGSL.
const EXTENSIONS: [(&str, &str); 2] =
    [("NARROW", "enable f16;\n"), ("MATRIX", "enable f16;\nenable wgpu_cooperative_matrix;\n")];

/// Names of all shaders.
pub fn shaders() -> impl Iterator<Item = &'static str> {
    texts::inside("shaders").map(name)
}

/// A hash (FNV-1a) of the text of all shaders and shared snippets.
pub fn fingerprint() -> u64 {
    let paths = texts::inside("shaders").chain(texts::inside("shaders/shared"));
    let bytes = paths.flat_map(|path| find(name(path)).into_owned().into_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The WGSL text of a shader under the given defines.
///
/// # Panics
/// If the shader does not exist or its directives do not match up. This is a defect of the shader, which the tests look
/// for in every permutation.
pub fn expand(shader: &str, defines: &[(&str, u32)]) -> String {
    // `enable` directives must come first in WGSL.
    let is_set = |name: &str| defines.iter().any(|(defined, _)| *defined == name);
    let enabled = EXTENSIONS.iter().filter(|(name, _)| is_set(name)).map(|(_, enable)| (*enable).to_owned());
    let constants = defines.iter().map(|(name, value)| format!("const {name}: u32 = {value}u;\n"));
    let mut text: String = enabled.chain(constants).collect();
    block(&find(shader).lines().collect::<Vec<_>>(), defines, &mut text);
    text
}

fn find(path: &str) -> Cow<'static, str> {
    // A debug build runs wrong shaders without a new build, see tools/mutate_shaders.py.
    #[cfg(debug_assertions)]
    if let Some(folder) = std::env::var_os("GRADCAM_SHADERS") {
        let file = std::path::Path::new(&folder).join(format!("{path}.wgsl"));
        return std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display())).into();
    }
    texts::text(&format!("shaders/{path}.wgsl")).unwrap_or_else(|| panic!("no shader file '{path}'")).into()
}

/// A shader's name, or a snippet's with its folder.
fn name(path: &'static str) -> &'static str {
    path.trim_start_matches("shaders/").trim_end_matches(".wgsl")
}

/// Expands lines whose directives are balanced.
fn block(lines: &[&str], defines: &[(&str, u32)], out: &mut String) {
    let mut at = 0;
    while at < lines.len() {
        let words: Vec<&str> = lines[at].split_whitespace().collect();
        match words[..] {
            ["#import", file, ref args @ ..] => {
                let mut text = find(&format!("shared/{file}")).into_owned();
                for (i, arg) in args.iter().enumerate() {
                    text = text.replace(&format!("${}", i + 1), arg);
                }
                let contract = |kind: &str| names(&text, kind, defines);
                for name in contract(TAKES) {
                    assert!(is_defined(out, &name), "{file} takes {name}, which is not there where it is imported");
                }
                let start = out.len();
                let body = text.lines().filter(|line| ![TAKES, LEAVES].iter().any(|kind| line.starts_with(kind)));
                block(&body.collect::<Vec<_>>(), defines, out);
                for name in contract(LEAVES) {
                    assert!(is_defined(&out[start..], &name), "{file} does not leave {name}");
                }
            }
            ["#ifdef", name] => {
                let end = matching(lines, at, "#ifdef", "#endif");
                let other = (at + 1..end)
                    .find(|&i| lines[i].trim() == "#else" && depth(&lines[at + 1..i], "#ifdef", "#endif") == 0);
                let defined = defines.iter().any(|(n, _)| *n == name);
                let (yes, no) = (at + 1..other.unwrap_or(end), other.map_or(end, |o| o + 1)..end);
                block(&lines[if defined { yes } else { no }], defines, out);
                at = end;
            }
            ["#for", variable, "in", range] => {
                let end = matching(lines, at, "#for", "#endfor");
                let name = range.strip_prefix("0..").expect("a range from 0");
                for i in 0..number(name, defines) {
                    let body: Vec<String> =
                        lines[at + 1..end].iter().map(|l| l.replace(&format!("${variable}"), &i.to_string())).collect();
                    block(&body.iter().map(String::as_str).collect::<Vec<_>>(), defines, out);
                }
                at = end;
            }
            _ => {
                out.push_str(&arithmetic(lines[at], defines));
                out.push('\n');
            }
        }
        at += 1;
    }
}

/// The names on one line of a snippet's contract. Of numbered names only the first is returned.
fn names(text: &str, kind: &str, defines: &[(&str, u32)]) -> Vec<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(kind)).unwrap_or("nothing");
    let known = |item: &str| match item.strip_prefix("and ").and_then(|item| item.split_once(" with ")) {
        Some((name, define)) => defines.iter().any(|(n, _)| *n == define).then(|| name.to_owned()),
        None => Some(item.to_owned()),
    };
    let first = |name: String| match name.split_once('{') {
        Some((stem, counts)) => {
            let ends = counts.split('{').map(|count| count.split_once('}').map_or("", |(_, after)| after));
            ends.fold(stem.to_owned(), |name, after| name + "0" + after)
        }
        None => name,
    };
    line.split(", ").filter(|item| *item != "nothing").filter_map(known).map(first).collect()
}

/// Whether the WGSL text defines a name, as a variable, constant, function or parameter, or as a field of `params`.
fn is_defined(text: &str, name: &str) -> bool {
    let name = name.strip_prefix("params.").unwrap_or(name);
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let declared = before.trim_end_matches(' ').rsplit(|c: char| !inside(c) && c != '<' && c != '>').next();
        let keyword = declared.is_some_and(|w| ["let", "var", "fn", "const"].contains(&w) || w.starts_with("var<"));
        !before.ends_with(inside) && !after.starts_with(inside) && (keyword || after.trim_start().starts_with(':'))
    })
}

/// Replaces each `$(…)` of a line, a sum of products of numbers and defines, by its value.
fn arithmetic(line: &str, defines: &[(&str, u32)]) -> String {
    let Some((before, (inside, after))) = line.split_once("$(").map(|(b, r)| (b, r.split_once(')').unwrap_or((r, ""))))
    else {
        return line.to_owned();
    };
    let product = |term: &str| term.split('*').map(|factor| number(factor, defines)).product::<u32>();
    let value: u32 = inside.split('+').map(product).sum();
    format!("{before}{value}{}", arithmetic(after, defines))
}

/// The value of a number literal or a define.
fn number(word: &str, defines: &[(&str, u32)]) -> u32 {
    let define = || defines.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    word.parse().ok().or_else(define).unwrap_or_else(|| panic!("{word} is not defined"))
}

fn depth(lines: &[&str], open: &str, close: &str) -> isize {
    let count = |word: &str| lines.iter().filter(|l| l.split_whitespace().next() == Some(word)).count() as isize;
    count(open) - count(close)
}

fn matching(lines: &[&str], at: usize, open: &str, close: &str) -> usize {
    (at + 1..lines.len())
        .find(|&i| depth(&lines[at..=i], open, close) == 0)
        .unwrap_or_else(|| panic!("{open} without {close}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINES: [(&str, u32); 3] = [("LOADS", 1), ("QUADS", 1), ("PIXELS", 2)];

    fn expanded(lines: &[&str]) -> String {
        let mut out = String::new();
        block(lines, &DEFINES, &mut out);
        out
    }

    #[test]
    fn contracts_are_kept() {
        let before = ["var q = 0u;", "let x0 = fetch_x(q);", "#import sums", "fn load_w(at: u32) -> vec4<f32> {}"];
        let text = expanded(&[&before[..], &["#import accumulate load_w"]].concat());
        assert!(text.contains("let a0 = load_w(column);") && !text.contains("takes"), "{text}");
    }

    #[test]
    #[should_panic(expected = "accumulate takes sum00_0")]
    fn what_is_not_there_is_refused() {
        expanded(&["var q = 0u;", "let x0 = fetch_x(q); // sum00_0", "#import accumulate load_w"]);
    }

    #[test]
    fn definitions() {
        let text = "struct Params { size: u32 }\nvar<workgroup> wide: u32;\nfn main(id: u32) { let a = b; }";
        assert!(["params.size", "wide", "main", "id", "a"].iter().all(|name| is_defined(text, name)));
        assert!(!["b", "siz", "ma", "Params"].iter().any(|name| is_defined(text, name)));
    }
}
