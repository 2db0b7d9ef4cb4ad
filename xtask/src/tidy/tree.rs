//! The input of the rules: the repository's files and the workspace's packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::{
    Violation,
    manifest::Manifest,
    stores::{ENGINE, TARGETS},
};

/// The files of the working tree, committed or not, without ignored files.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The text of each file, by its path relative to the root.
    pub(super) files: BTreeMap<String, String>,
    pub(super) packages: Vec<Package>,
    /// The names of the crates in the engine's build, by target.
    pub(super) built: BTreeMap<String, BTreeSet<String>>,
}

/// A member of the workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    /// The directory, relative to the root in a [`Tree`]. Cargo tells the path of the manifest.
    #[serde(rename = "manifest_path")]
    pub(super) directory: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// A dependency as cargo resolves it, including inherited settings.
#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) rename: Option<String>,
    pub(super) kind: Option<String>,
    /// The condition on the platform.
    pub(super) target: Option<String>,
    #[serde(rename = "path")]
    pub(super) directory: Option<PathBuf>,
}

impl Tree {
    /// Reads the workspace of the current directory.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"])?;
        let metadata: Metadata = serde_json::from_slice(&metadata).context("cargo metadata")?;
        let root = metadata.workspace_root;
        let built = TARGETS.iter().map(|(target, _)| Ok(((*target).to_owned(), built(target)?)));
        let built = built.collect::<anyhow::Result<_>>()?;
        let packages = metadata.packages.into_iter().map(|package| package.within(&root));
        Ok(Self { files: files(Path::new(&root))?, packages: packages.collect(), built })
    }

    /// Returns the paths and texts of the Rust files.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        files.filter(|(path, _)| path.ends_with(".rs"))
    }

    /// Returns the manifest of a package. It is empty if there is no such file.
    pub(super) fn manifest(&self, package: &Package) -> anyhow::Result<Manifest<'_>> {
        Manifest::parse(self.files.get(&package.manifest()).map_or("", String::as_str))
    }

    /// Returns a violation in a package's manifest, at the line of a setting.
    pub(super) fn violation(
        &self,
        package: &Package,
        setting: &[&str],
        message: impl Into<String>,
    ) -> Violation {
        let line = self.manifest(package).map_or(1, |manifest| manifest.line(setting));
        Violation::new(package.manifest(), line, message)
    }
}

impl Package {
    /// Returns the path of a file of this package, relative to the root.
    pub(super) fn file(&self, path: &str) -> String {
        format!("{}/{path}", self.directory)
    }

    pub(super) fn manifest(&self) -> String {
        self.file("Cargo.toml")
    }

    fn within(mut self, root: &str) -> Self {
        let directory = self.directory.strip_prefix(root).unwrap_or(&self.directory);
        self.directory = directory.trim_matches('/').trim_end_matches("/Cargo.toml").to_owned();
        self
    }
}

impl Dependency {
    pub(super) fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }

    /// Returns the path of the dependency in its manifest.
    pub(super) fn path(&self) -> Vec<&str> {
        let table = match self.kind.as_deref() {
            Some("build") => "build-dependencies",
            Some("dev") => "dev-dependencies",
            _ => "dependencies",
        };
        let target = self.target.iter().flat_map(|target| ["target", target]);
        target.chain([table, self.rename.as_deref().unwrap_or(&self.name)]).collect()
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: String,
}

/// Returns the names of the crates in the engine's build for a target.
fn built(target: &str) -> anyhow::Result<BTreeSet<String>> {
    // `--locked`: a check must not change Cargo.lock. `--edges normal`: tests and build scripts may use other crates.
    let tree = ["tree", "--locked", "--package", ENGINE, "--edges", "normal", "--prefix", "none"];
    let tree = String::from_utf8(cargo(&[&tree[..], &["--target", target]].concat())?)?;
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    Ok(names.map(str::to_owned).collect())
}

fn files(root: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let list = String::from_utf8(output(Command::new("git").args(list).current_dir(root))?)?;
    // Git also lists files whose deletion is not committed.
    let present = list.split_terminator('\0').filter(|path| root.join(path).is_file());
    present
        .map(|path| {
            let bytes = fs::read(root.join(path)).with_context(|| path.to_owned())?;
            // Not all files are text: images are listed, too.
            Ok((path.to_owned(), String::from_utf8_lossy(&bytes).into_owned()))
        })
        .collect()
}

fn cargo(arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    // Cargo sets the variable to its own path, so that the same toolchain is used.
    output(Command::new(env::var_os("CARGO").unwrap_or("cargo".into())).args(arguments))
}

fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{stderr}", output.status);
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Tree {
        pub(in crate::tidy) fn with_file(mut self, path: &str, text: &str) -> Self {
            self.files.insert(path.into(), text.into());
            self
        }

        /// Adds a package and its manifest.
        pub(in crate::tidy) fn with_package(mut self, package: Package, manifest: &str) -> Self {
            let path = package.manifest();
            self.packages.push(package);
            self.with_file(&path, manifest)
        }
    }

    impl Package {
        /// The crate of this name, where the house has it.
        pub(in crate::tidy) fn named(name: &str) -> Self {
            Self {
                name: name.into(),
                directory: format!("crates/{name}"),
                dependencies: Vec::new(),
            }
        }

        /// The example of this name, where the house has it.
        pub(in crate::tidy) fn example(name: &str) -> Self {
            Self { directory: format!("examples/{name}"), ..Self::named(name) }
        }

        pub(in crate::tidy) fn with_dependency(mut self, dependency: Dependency) -> Self {
            self.dependencies.push(dependency);
            self
        }
    }

    impl Dependency {
        pub(in crate::tidy) fn on(name: &str) -> Self {
            let name = name.into();
            Self { name, rename: None, kind: None, target: None, directory: None }
        }

        pub(in crate::tidy) fn dev(name: &str) -> Self {
            Self { kind: Some("dev".into()), ..Self::on(name) }
        }
    }

    #[test]
    fn cargo_metadata_is_understood() {
        let json = r#"{"workspace_root": "/r", "packages": [{
            "name": "a", "manifest_path": "/r/crates/a/Cargo.toml", "features": {"default": ["b"]},
            "dependencies": [{"name": "b", "rename": "c", "kind": "dev", "target": "cfg(unix)"}]
        }]}"#;
        let metadata: Metadata = serde_json::from_str(json).unwrap();
        let package = metadata.packages.into_iter().next().unwrap().within("/r");
        assert_eq!(package.manifest(), "crates/a/Cargo.toml");
        assert_eq!(package.file("src/lib.rs"), "crates/a/src/lib.rs");
        let path = ["target", "cfg(unix)", "dev-dependencies", "c"];
        assert_eq!(package.dependencies[0].path(), path);
    }
}
