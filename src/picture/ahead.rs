//! Decodes and resamples photos on separate threads while other photos are explained.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use super::Photo;
use crate::error::Result;
use crate::model::Preprocess;

/// Photos in the order of their paths. Some of them are prepared before they are requested.
pub struct Ahead {
    paths: Arc<[PathBuf]>,
    ready: Receiver<(usize, Result<Photo>)>,
    early: BTreeMap<usize, Result<Photo>>,
    next: usize,
}

/// Decodes photos and prepares them for a network, on up to `threads` threads. At most twice as many wait to be
/// taken.
pub fn ahead(paths: Vec<PathBuf>, preprocess: &Preprocess, threads: usize) -> Ahead {
    let threads = threads.clamp(1, paths.len().max(1));
    let paths: Arc<[PathBuf]> = paths.into();
    let next = Arc::new(AtomicUsize::new(0));
    let (sender, ready) = sync_channel(threads);
    for _ in 0..threads {
        let (paths, next, sender, preprocess) = (paths.clone(), next.clone(), sender.clone(), preprocess.clone());
        std::thread::spawn(move || {
            while let Some((at, path)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, paths.get(i)?)))
            {
                let photo = Photo::open(path).map(|photo| photo.prepared(&preprocess));
                if sender.send((at, photo)).is_err() {
                    return; // The receiver is gone.
                }
            }
        });
    }
    Ahead { paths, ready, early: BTreeMap::new(), next: 0 }
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
        self.next += 1;
        Some((path, photo))
    }
}
