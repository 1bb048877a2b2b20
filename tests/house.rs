//! How the files of `src/` depend on each other: without cycles, and only the module `gpu` uses the GPU library.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module path from the crate's root.
type Module = Vec<String>;

/// A source file as a module.
#[derive(Default)]
struct File {
    /// The code without comments, imports and tests.
    code: String,
    /// For each imported name: its path as written, and whether the file re-exports it.
    imports: BTreeMap<String, (Module, bool)>,
    /// The modules that it declares.
    children: BTreeSet<String>,
}

/// All files of a crate by their modules: those of the library, or those of the program.
struct Crate(BTreeMap<Module, File>);

impl Crate {
    fn new(root: &str, keep: impl Fn(&Module) -> bool) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = BTreeMap::from([(vec![], File::read(&source.join(root)))]);
        let mut folders = vec![(source, vec![])];
        while let Some((folder, module)) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let below = [module.clone(), vec![name.clone()]].concat();
                let is_root = module.is_empty() && ["lib", "main"].contains(&&*name);
                if path.is_dir() {
                    folders.push((path, below));
                } else if path.extension().is_some_and(|extension| extension == "rs") && !is_root {
                    files.insert(if name == "mod" { module.clone() } else { below }, File::read(&path));
                }
            }
        }
        files.retain(|module, _| module.is_empty() || keep(module));
        Self(files)
    }

    /// The path from the root for a path as written in a module. None if it leads out of the crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let file = &self.0[module];
        let (first, rest) = path.split_first()?;
        let base = match first.as_str() {
            "crate" => vec![],
            "self" => module.clone(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            name if file.children.contains(name) => [module.clone(), vec![name.to_owned()]].concat(),
            name => self.absolute(module, &file.imports.get(name).filter(|(from, _)| from.as_slice() != path)?.0)?,
        };
        match rest.first() {
            Some(up) if up == "super" => {
                Some([base[..base.len().checked_sub(1)?].to_vec(), rest[1..].to_vec()].concat())
            }
            _ => Some([base, rest.to_vec()].concat()),
        }
    }

    /// The file in which a path's item is defined, found through all re-exports.
    fn home(&self, path: &Module) -> Option<Module> {
        let depth = (0..=path.len()).rev().find(|depth| self.0.contains_key(&path[..*depth]))?;
        let (module, item) = (path[..depth].to_vec(), path.get(depth)?);
        match self.0[&module].imports.get(item) {
            Some((from, _)) => self.home(&[self.absolute(&module, from)?, path[depth + 1..].to_vec()].concat()),
            None => Some(module),
        }
    }

    /// The files whose items a file uses, each with one such item.
    fn needs(&self, module: &Module) -> BTreeMap<Module, String> {
        let file = &self.0[module];
        let written = paths(&file.code);
        // A file needs a module if its code uses an item of that module. An item that is only re-exported does not
        // count.
        let words: BTreeSet<&str> = file.code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let used = file.imports.iter().filter(|(name, (_, public))| !public || words.contains(name.as_str()));
        let imported = used.map(|(_, (path, _))| path.clone());
        let homes = written.into_iter().chain(imported).filter_map(|path| {
            let home = self.home(&self.absolute(module, &path)?)?;
            (home != *module).then(|| (home, path.join("::")))
        });
        homes.collect()
    }
}

impl File {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.split("\nmod tests {").next().unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = lines.map(|line| line.split(" // ").next().unwrap().to_owned() + "\n").collect();
        let mut file = Self::default();
        for statement in code.split_inclusive([';', '{', '}']) {
            let words: Vec<&str> = statement.trim_end_matches(';').split_whitespace().collect();
            if let [.., "mod", name] = words[..] {
                file.children.insert(name.to_owned());
            }
        }
        let mut rest = code.as_str();
        while let Some((before, after)) = rest.split_once("use ") {
            let line = before.rsplit('\n').next().unwrap().trim();
            let public = line.starts_with("pub");
            file.code += before;
            rest = after;
            if !line.is_empty() && !public {
                continue;
            }
            let tree;
            (tree, rest) = after.split_once(';').unwrap();
            for branch in branches(tree) {
                let (path, alias) =
                    branch.split_once(" as ").map_or((&*branch, None), |(path, name)| (path, Some(name)));
                let path = path.strip_suffix("::self").unwrap_or(path);
                let segments: Module = path.split("::").map(str::to_owned).collect();
                let name = alias.map_or_else(|| segments[segments.len() - 1].clone(), str::to_owned);
                file.imports.insert(name, (segments, public));
            }
        }
        file.code += rest;
        file
    }
}

/// The paths in a tree such as `a::{b, c::{d, e}}`.
fn branches(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((stem, rest)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in rest[..rest.rfind('}').unwrap()].chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 { parts.push(String::new()) } else { parts.last_mut().unwrap().push(c) }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| branches(part)).map(|branch| format!("{stem}{branch}")).collect()
}

/// All paths of more than one segment. Single names come from imports.
fn paths(code: &str) -> Vec<Module> {
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').filter(|word| word.contains("::"));
    let segments = words.map(|word| word.trim_matches(':').split("::").map(str::to_owned).collect::<Module>());
    segments.filter(|path| path.len() > 1).collect()
}

fn crates() -> [Crate; 2] {
    let program = |module: &Module| module[0] == "cli";
    [Crate::new("lib.rs", |module| !program(module)), Crate::new("main.rs", program)]
}

/// To understand a file, a reader need not read the files that depend on it.
#[test]
fn no_circle_of_files() {
    for this in crates() {
        let needs: BTreeMap<&Module, BTreeMap<Module, String>> = this.0.keys().map(|m| (m, this.needs(m))).collect();
        let reached = |from: &Module| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
            while let Some(module) = next.pop() {
                next.extend(needs[module].keys().filter(|m| seen.insert((*m).clone())));
            }
            seen
        };
        let reached: BTreeMap<&Module, BTreeSet<Module>> = needs.keys().map(|m| (*m, reached(m))).collect();
        let mut circles = vec![];
        for (module, needed) in &needs {
            for (other, item) in needed.iter().filter(|(other, _)| reached[other].contains(*module)) {
                circles.push(format!("{} needs {} for {item}", module.join("::"), other.join("::")));
            }
        }
        assert!(circles.is_empty(), "files in circles:\n{}", circles.join("\n"));
        assert!(needs.values().map(BTreeMap::len).sum::<usize>() > 2 * needs.len(), "some needs were not seen");
    }
}

/// The crate, the page and the packages are released together.
#[test]
fn one_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, before) in [
        ("python/Cargo.toml", "version = \""),
        ("web/Cargo.toml", "version = \""),
        ("web/tool/Cargo.toml", "version = \""),
        ("web/packages/gradcam/package.json", "\"version\": \""),
        ("web/packages/gradcam-efficientnet-lite0/package.json", "\"version\": \""),
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let version = text.split_once(before).and_then(|(_, rest)| rest.split('"').next());
        assert_eq!(version, Some(env!("CARGO_PKG_VERSION")), "{file}");
    }
}

#[test]
fn the_gpu_library_stays_in_its_room() {
    for this in crates() {
        for (module, file) in &this.0 {
            assert!(!file.code.contains("wgpu::") || module.first().is_some_and(|room| room == "gpu"), "{module:?}");
        }
    }
}
