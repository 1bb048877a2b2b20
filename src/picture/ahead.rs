//! Decodes and resamples photos on separate threads while other photos are explained.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Photo, Window};
use crate::error::Result;
use crate::model::Preprocess;

/// Photos in the order of their paths. Some of them are prepared before they are requested.
pub struct Ahead {
    paths: Arc<[PathBuf]>,
    /// Numbers of photos that may be decoded now. The threads end when it is dropped.
    allowed: Sender<usize>,
    ready: Receiver<(usize, Result<Photo>)>,
    early: BTreeMap<usize, Result<Photo>>,
    next: usize,
    /// How many photos past the next one may be decoded.
    window: usize,
}

/// Decodes photos and prepares them for a network, on up to `threads` threads. At most twice as many photos are held,
/// however long one of them takes.
pub fn ahead(paths: Vec<PathBuf>, preprocess: &Preprocess, shades: Window, threads: usize) -> Ahead {
    let threads = threads.clamp(1, paths.len().max(1));
    let window = 2 * threads;
    let paths: Arc<[PathBuf]> = paths.into();
    let (allowed, queue) = channel();
    (0..window).for_each(|at| _ = allowed.send(at));
    let queue = Arc::new(Mutex::new(queue));
    let (sender, ready) = channel();
    for _ in 0..threads {
        let (paths, queue, sender, preprocess) = (paths.clone(), queue.clone(), sender.clone(), preprocess.clone());
        let next = move || queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        std::thread::spawn(move || {
            while let Some((at, path)) = next().and_then(|at| Some((at, paths.get(at)?))) {
                let photo = Photo::open_with(path, shades).map(|photo| photo.prepared(&preprocess));
                if sender.send((at, photo)).is_err() {
                    return; // The receiver is gone.
                }
            }
        });
    }
    Ahead { paths, allowed, ready, early: BTreeMap::new(), next: 0, window }
}

impl Iterator for Ahead {
    type Item = (PathBuf, Result<Photo>);

    fn next(&mut self) -> Option<Self::Item> {
        let path = self.paths.get(self.next)?.clone();
        let photo = loop {
            if let Some(photo) = self.early.remove(&self.next) {
                break photo;
            }
            let (at, photo) = self.ready.recv().ok()?;
            self.early.insert(at, photo);
        };
        _ = self.allowed.send(self.next + self.window); // The threads may have ended.
        self.next += 1;
        Some((path, photo))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::model::{CropMode, Interpolation};

    /// While one photo does not come, only as many others are decoded as may be held.
    #[test]
    fn a_slow_photo_does_not_fill_memory() {
        let place = tempfile::tempdir().unwrap();
        let slow = place.path().join("slow");
        assert!(std::process::Command::new("mkfifo").arg(&slow).status().unwrap().success());
        let quick = concat!(env!("CARGO_MANIFEST_DIR"), "/src/verify/goldens/picture.png");
        let paths = std::iter::once(slow.clone()).chain(std::iter::repeat_n(quick.into(), 40)).collect();
        let preprocess = Preprocess {
            size: [32, 32],
            resize: [32, 32],
            crop_mode: CropMode::Center,
            interpolation: Interpolation::Bilinear,
            mean: vec![0.0; 3],
            std: vec![1.0; 3],
        };
        let mut photos = ahead(paths, &preprocess, Window::Full, 2);
        // The pipe has no writer yet, so all that can be ready is ready when nothing has come for a while.
        let pause = std::time::Duration::from_millis(500);
        let early: Vec<_> = std::iter::from_fn(|| photos.ready.recv_timeout(pause).ok()).collect();
        assert_eq!(early.len(), 3, "the window holds four photos, the slow one included");
        photos.early.extend(early);
        std::fs::write(slow, "no picture").unwrap();
        assert!(photos.next().unwrap().1.is_err());
        assert_eq!(photos.filter(|(_, photo)| photo.is_ok()).count(), 40);
    }
}
