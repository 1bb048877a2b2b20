//! Decodes and resamples photos on separate threads while other photos are explained.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::Photo;
use crate::error::Result;

/// Photos in the order of what they come from. Some of them are prepared before they are requested.
pub struct Ahead {
    count: usize,
    /// Numbers of photos that may be decoded now. The threads end when it is dropped.
    allowed: Sender<usize>,
    ready: Receiver<(usize, Result<Photo>)>,
    early: BTreeMap<usize, Result<Photo>>,
    next: usize,
    /// How many photos past the next one may be decoded.
    window: usize,
}

/// Opens photos, on up to `threads` threads. At most twice as many are held, however long one of them takes.
pub fn ahead<T: Send + Sync + 'static>(
    sources: Vec<T>,
    threads: usize,
    open: impl Fn(&T) -> Result<Photo> + Send + Sync + 'static,
) -> Ahead {
    let threads = threads.clamp(1, sources.len().max(1));
    let (window, count) = (2 * threads, sources.len());
    let all = Arc::new((sources, open));
    let (allowed, queue) = channel();
    (0..window).for_each(|at| _ = allowed.send(at));
    let queue = Arc::new(Mutex::new(queue));
    let (sender, ready) = channel();
    for _ in 0..threads {
        let (all, queue, sender) = (all.clone(), queue.clone(), sender.clone());
        let next = move || queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        std::thread::spawn(move || {
            let (sources, open) = &*all;
            while let Some((at, source)) = next().and_then(|at| Some((at, sources.get(at)?))) {
                if sender.send((at, open(source))).is_err() {
                    return; // The receiver is gone.
                }
            }
        });
    }
    Ahead { count, allowed, ready, early: BTreeMap::new(), next: 0, window }
}

impl Iterator for Ahead {
    type Item = Result<Photo>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.count {
            return None;
        }
        let photo = loop {
            if let Some(photo) = self.early.remove(&self.next) {
                break photo;
            }
            let (at, photo) = self.ready.recv().ok()?;
            self.early.insert(at, photo);
        };
        _ = self.allowed.send(self.next + self.window); // The threads may have ended.
        self.next += 1;
        Some(photo)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// While one photo does not come, only as many others are decoded as may be held.
    #[test]
    fn a_slow_photo_does_not_fill_memory() {
        let place = tempfile::tempdir().unwrap();
        let slow = place.path().join("slow");
        assert!(std::process::Command::new("mkfifo").arg(&slow).status().unwrap().success());
        let quick = concat!(env!("CARGO_MANIFEST_DIR"), "/src/verify/goldens/picture.png");
        let paths: Vec<PathBuf> = std::iter::once(slow.clone()).chain(std::iter::repeat_n(quick.into(), 40)).collect();
        let mut photos = ahead(paths, 2, |path: &PathBuf| Photo::open(path));
        // The pipe has no writer yet, so all that can be ready is ready when nothing has come for a while.
        let pause = std::time::Duration::from_millis(500);
        let early: Vec<_> = std::iter::from_fn(|| photos.ready.recv_timeout(pause).ok()).collect();
        assert_eq!(early.len(), 3, "the window holds four photos, the slow one included");
        photos.early.extend(early);
        std::fs::write(slow, "no picture").unwrap();
        assert!(photos.next().unwrap().is_err());
        assert_eq!(photos.filter(|photo| photo.is_ok()).count(), 40);
    }
}
