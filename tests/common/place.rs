//! Runs the program in a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use image::RgbImage;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_gradcam");

/// A temporary folder in which the program runs. The flag says whether the program finds graphics drivers.
pub struct Place(pub tempfile::TempDir, pub bool);

impl Place {
    /// A folder with copies of these examples.
    pub fn with(examples: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap(), true);
        examples.iter().for_each(|name| place.write(name, example(name)));
        place
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The program with `args` split at spaces. `~` stands for a space inside an argument.
    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(&self.0).args(args.split_whitespace().map(|a| a.replace('~', " ")));
        if !self.1 {
            let lists = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_FILENAMES"];
            command.envs(lists.map(|variable| (variable, "/nonexistent")));
        }
        command
    }

    /// Exit code, stdout and stderr of a run.
    pub fn run(&self, args: &str) -> (Option<i32>, String, String) {
        let output = self.command(args).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), out, err)
    }

    /// A run that must succeed with nothing on stderr. Returns stdout.
    pub fn does(&self, args: &str) -> String {
        let (code, out, err) = self.run(args);
        assert!(code == Some(0) && err.is_empty(), "{args}: exit code {code:?}\n{out}\n{err}");
        out
    }

    /// Runs that must fail with `code`. A line of the table holds arguments, `=>`, and words that the one line on
    /// stderr must contain, separated by `
    /// `.
    pub fn refuses(&self, code: i32, table: &str) {
        let mut wrong = String::new();
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let ((args, words), before) = (line.split_once(" => ").unwrap(), self.files());
            let (found, out, err) = self.run(args);
            let unsaid: Vec<&str> = words.split('|').filter(|w| !err.contains(w)).collect();
            let mut written = self.files();
            written.retain(|name, about| before.get(name) != Some(about));
            let clean = err.lines().count() == 1 && out.is_empty() && written.is_empty();
            if found != Some(code) || !clean || !unsaid.is_empty() {
                wrong += &format!("\n{args}: {found:?} {out:?} {err:?}, without {unsaid:?}, wrote {written:?}");
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }

    /// Every file below the folder, with its length and time of modification.
    pub fn files(&self) -> BTreeMap<String, (u64, SystemTime)> {
        let (mut files, mut paths) = (BTreeMap::new(), vec![self.path("")]);
        while let Some(path) = paths.pop() {
            let about = path.symlink_metadata().unwrap();
            if about.is_dir() {
                paths.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
            } else {
                let name = path.strip_prefix(&self.0).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, (about.len(), about.modified().unwrap()));
            }
        }
        files
    }

    pub fn picture(&self, name: impl AsRef<Path>) -> RgbImage {
        image::open(self.path(name)).unwrap().into_rgb8()
    }

    /// Kind, shape and values of each tensor of a file.
    pub fn tensors(&self, name: &str) -> BTreeMap<String, (Dtype, Vec<usize>, Vec<f32>)> {
        let bytes = std::fs::read(self.path(name)).unwrap();
        let values = |tensor: &TensorView| match tensor.dtype() {
            Dtype::I64 => bytemuck::pod_collect_to_vec::<_, i64>(tensor.data()).iter().map(|v| *v as f32).collect(),
            Dtype::U8 => tensor.data().iter().map(|v| f32::from(*v)).collect(),
            _ => bytemuck::pod_collect_to_vec(tensor.data()),
        };
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        tensors.iter().map(|(name, t)| (name.to_owned(), (t.dtype(), t.shape().to_vec(), values(&t)))).collect()
    }
}

pub fn example(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)).unwrap()
}

/// One value per line.
pub fn json(lines: &str) -> Vec<Value> {
    lines.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e} in {l}"))).collect()
}

/// The greatest difference between two tensors, or between two pictures' channels.
pub fn worst<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| ((*a).into() - (*b).into()).abs()).fold(0.0, f64::max)
}
