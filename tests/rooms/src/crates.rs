//! The modules of a crate, from its `lib.rs` down, and whom each knows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::names::{Named, named};
use crate::text::code;

/// A module's path, from the crate's root; empty for the root itself.
pub(crate) type Module = Vec<String>;

/// A crate as it is written.
pub(crate) struct Crate {
    modules: BTreeMap<Module, Source>,
}

struct Source {
    file: PathBuf,
    names: Vec<Named>,
}

/// That a module names another, or something of it.
pub(crate) struct Knows {
    pub(crate) who: Module,
    pub(crate) whom: Module,
    pub(crate) place: String,
}

/// The project's folder.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Crate {
    /// Reads the crate whose sources are in this folder of the project.
    pub(crate) fn read(folder: &str) -> Self {
        let mut modules = BTreeMap::new();
        let root = Path::new(folder).join("lib.rs");
        read_module(&root, Path::new(folder), Vec::new(), &mut modules);
        Self { modules }
    }

    /// Every path that some module names, with the file and the line.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&Module, String, &[String])> {
        self.modules.iter().flat_map(|(module, source)| {
            let place = |named: &Named| format!("{}:{}", source.file.display(), named.line);
            source
                .names
                .iter()
                .map(move |named| (module, place(named), named.path.as_slice()))
        })
    }

    /// Who knows whom. Where a module tells on what is another's (`pub use`), that other is meant.
    pub(crate) fn known(&self) -> Vec<Knows> {
        let mut all = Vec::new();
        for (who, place, path) in self.names() {
            let Some(path) = self.absolute(who, path) else {
                continue;
            };
            let whom = self.home_of(&path, 0);
            if whom != *who {
                let who = who.clone();
                all.push(Knows { who, whom, place });
            }
        }
        all
    }

    /// A path from the crate's root; none: it leads out of the crate.
    fn absolute(&self, from: &Module, path: &[String]) -> Option<Module> {
        let mut at = from.clone();
        let mut rest = path.iter().peekable();
        match rest.peek()?.as_str() {
            "crate" => {
                at.clear();
                rest.next();
            }
            "self" => drop(rest.next()),
            "super" => {
                while rest.next_if(|part| *part == "super").is_some() {
                    at.pop();
                }
            }
            first => {
                at.push(first.to_owned());
                self.modules.get(&at)?;
                rest.next();
            }
        }
        at.extend(rest.cloned());
        Some(at)
    }

    /// The module in which a path ends.
    fn home_of(&self, path: &[String], steps: usize) -> Module {
        let mut home = path.to_vec();
        while !self.modules.contains_key(&home) {
            home.pop();
        }
        let Some(item) = path.get(home.len()) else {
            return home;
        };
        let told = self.modules[&home]
            .names
            .iter()
            .filter(|named| named.is_told);
        let told = told.filter(|named| named.path.last() == Some(item));
        for named in told {
            if let Some(next) = self.absolute(&home, &named.path)
                && next != path
                && steps < 9
            {
                return self.home_of(&next, steps + 1);
            }
        }
        home
    }
}

fn read_module(file: &Path, folder: &Path, module: Module, all: &mut BTreeMap<Module, Source>) {
    let text = fs::read_to_string(project().join(file));
    let code = code(&text.unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    for line in code.lines() {
        let Some(name) = line
            .trim()
            .strip_suffix(';')
            .and_then(|line| line.split("mod ").nth(1))
        else {
            continue;
        };
        let mut child = module.clone();
        child.push(name.to_owned());
        let inside = folder.join(name);
        let (flat, nested) = (folder.join(format!("{name}.rs")), inside.join("mod.rs"));
        let file = if project().join(&flat).exists() {
            flat
        } else {
            nested
        };
        read_module(&file, &inside, child, all);
    }
    let names = named(&code);
    let file = file.to_owned();
    all.insert(module, Source { file, names });
}
