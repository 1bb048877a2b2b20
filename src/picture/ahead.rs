//! Decodes and resamples photos on separate threads while other photos are explained.
//!
//! Large photos get their memory in their order, and those decoded ahead take a part of it only, so that the one that is
//! waited for never waits for those after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Photo, Window};
use crate::error::{Error, Result};
use crate::memory::{self, Grants, Share};

/// The part of the free memory that photos may take which nobody waits for yet.
const PART: u64 = 4;
/// Memory may become free without a word. So often it is asked for.
const PULSE: Duration = Duration::from_millis(50);

/// Photos in the order of what they come from. Some of them are prepared before they are requested.
pub struct Ahead {
    count: usize,
    /// Opens a photo, here (true) or on a thread.
    open: Arc<dyn Fn(usize, bool) -> Result<Photo> + Send + Sync>,
    turns: Arc<Turns>,
    /// Numbers of photos that may be decoded now. The threads end when it is dropped.
    allowed: Sender<usize>,
    ready: Receiver<(usize, Result<Photo>)>,
    early: BTreeMap<usize, Result<Photo>>,
    /// Photos that were given up for their memory.
    given_up: BTreeSet<usize>,
    next: usize,
    /// How many photos past the next one may be decoded.
    window: usize,
}

/// Whose turn it is to take memory.
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
    /// Bytes for photos that nobody waits for yet.
    most: u64,
    /// How many photos there may be.
    window: u64,
}

#[derive(Default)]
struct State {
    /// The first photo that does not have its memory yet.
    turn: usize,
    /// The photo that is waited for.
    next: usize,
    /// Bytes that photos took, and whether this was all, from `next` on.
    took: BTreeMap<usize, (u64, bool)>,
    /// Threads get no memory.
    is_closed: bool,
    is_over: bool,
}

/// A photo's turn: it is opened with memory that it gets in its turn.
pub struct Turn<'a> {
    turns: &'a Turns,
    at: usize,
    /// Whether it is opened by who waits for it.
    is_here: bool,
}

impl Turn<'_> {
    /// As [`Photo::open_with`].
    ///
    /// # Errors
    /// As there.
    pub fn open(&self, path: impl AsRef<Path>, window: Window) -> Result<Photo> {
        Photo::open_by(path.as_ref(), window, self)
    }

    /// As [`Photo::decode_with`].
    ///
    /// # Errors
    /// As there.
    pub fn decode(&self, name: &str, bytes: &[u8], window: Window) -> Result<Photo> {
        Photo::decode_by(name, bytes, window, self)
    }
}

impl Grants for Turn<'_> {
    fn take(&self, what: &str, bytes: u64) -> Result<Share> {
        let mut state = self.turns.state();
        loop {
            let is_next = state.next == self.at;
            let ahead: u64 = state.took.range(state.next + 1..).map(|(_, (bytes, _))| bytes).sum();
            if state.is_over || state.is_closed && !self.is_here {
                return Err(Error::Interrupted);
            }
            // So small that as many as are held together keep within the bound, in any order.
            let is_small = bytes <= self.turns.most / self.turns.window;
            let has_turn = state.turn == self.at && ahead.saturating_add(bytes) <= self.turns.most;
            if is_next || has_turn || is_small {
                match memory::take(what, bytes) {
                    Ok(share) => {
                        state.took.entry(self.at).or_default().0 += bytes;
                        return Ok(share);
                    }
                    Err(error) if is_next => return Err(error),
                    // Those before it hold memory.
                    Err(_) => {}
                }
            }
            let waited = self.turns.changed.wait_timeout(state, PULSE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_all(&self) {
        self.turns.change(|state| state.took.entry(self.at).or_default().1 = true);
    }
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.turn = state.turn.max(state.next);
        while state.took.get(&state.turn).is_some_and(|(_, is_all)| *is_all) {
            state.turn += 1;
        }
        self.changed.notify_all();
    }
}

/// Opens photos, on up to `threads` threads. At most twice as many are held, however long one of them takes.
pub fn ahead<T: Send + Sync + 'static>(
    sources: Vec<T>,
    threads: usize,
    open: impl Fn(&T, &Turn<'_>) -> Result<Photo> + Send + Sync + 'static,
) -> Ahead {
    let most = memory::free().map_or(u64::MAX, |free| free / PART);
    within(most, sources, threads, open)
}

/// [`ahead`] with `most` bytes for photos that nobody waits for yet.
fn within<T: Send + Sync + 'static>(
    most: u64,
    sources: Vec<T>,
    threads: usize,
    open: impl Fn(&T, &Turn<'_>) -> Result<Photo> + Send + Sync + 'static,
) -> Ahead {
    let threads = threads.clamp(1, sources.len().max(1));
    let (window, count) = (2 * threads, sources.len());
    let turns = Arc::new(Turns { state: Mutex::default(), changed: Condvar::new(), most, window: window as u64 });
    let of_all = turns.clone();
    let open = Arc::new(move |at: usize, is_here: bool| {
        let turn = Turn { turns: &of_all, at, is_here };
        let photo = open(&sources[at], &turn);
        // Without memory it may be opened again.
        if !matches!(photo, Err(Error::Memory { .. })) {
            turn.is_all();
        }
        photo
    });
    let (allowed, queue) = channel();
    (0..window).for_each(|at| _ = allowed.send(at));
    let queue = Arc::new(Mutex::new(queue));
    let (sender, ready) = channel();
    for _ in 0..threads {
        let (open, queue, sender) = (open.clone(), queue.clone(), sender.clone());
        let next = move || queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        std::thread::spawn(move || {
            while let Some(at) = next().filter(|at| *at < count) {
                if sender.send((at, open(at, false))).is_err() {
                    return; // The receiver is gone.
                }
            }
        });
    }
    Ahead { count, open, turns, allowed, ready, early: BTreeMap::new(), given_up: BTreeSet::new(), next: 0, window }
}

impl Ahead {
    /// The next photo. It stays the next one.
    pub fn peek(&mut self) -> Option<&Result<Photo>> {
        self.turns.change(|state| state.is_closed = false);
        while self.next < self.count && !self.early.contains_key(&self.next) {
            if self.given_up.remove(&self.next) {
                self.early.insert(self.next, (self.open)(self.next, true));
            } else {
                self.receive()?;
            }
        }
        self.early.get(&self.next)
    }

    /// Waits for a photo of the threads.
    fn receive(&mut self) -> Option<()> {
        match self.ready.recv().ok()? {
            (at, Err(Error::Interrupted)) => _ = self.given_up.insert(at),
            (at, photo) => _ = self.early.insert(at, photo),
        }
        Some(())
    }

    /// The next photo, if it is as wanted.
    pub fn next_if(&mut self, is_wanted: impl FnOnce(&Result<Photo>) -> bool) -> Option<Result<Photo>> {
        if self.peek().is_some_and(is_wanted) { self.next() } else { None }
    }

    /// Opens the next photo again, with the memory of those after it. After [`Error::Memory`], what was freed meanwhile may
    /// be enough.
    pub fn again(&mut self) {
        self.alone();
        self.early.insert(self.next, (self.open)(self.next, true));
    }

    /// Gives up all photos that were decoded ahead, and returns whether there were any. They are opened again when their turn
    /// comes. Until the next photo is asked for, no other is decoded.
    pub fn alone(&mut self) -> bool {
        self.turns.change(|state| state.is_closed = true);
        let holds = |of: &Self| {
            let state = of.turns.state();
            let mut open = state.took.iter().filter(|(_, (bytes, _))| *bytes > 0).map(|(at, _)| *at);
            open.any(|at| !of.early.contains_key(&at) && !of.given_up.contains(&at))
        };
        while holds(self) && self.receive().is_some() {}
        let decoded: Vec<usize> = self.early.iter().filter(|(_, photo)| photo.is_ok()).map(|(at, _)| *at).collect();
        for at in &decoded {
            self.early.remove(at);
            self.given_up.insert(*at);
        }
        self.turns.change(|state| decoded.iter().for_each(|at| _ = state.took.insert(*at, (0, true))));
        !decoded.is_empty()
    }
}

impl Iterator for Ahead {
    type Item = Result<Photo>;

    fn next(&mut self) -> Option<Self::Item> {
        self.peek()?;
        let photo = self.early.remove(&self.next);
        self.given_up.remove(&self.next);
        _ = self.allowed.send(self.next + self.window); // The threads may have ended.
        self.next += 1;
        let next = self.next;
        self.turns.change(|state| {
            state.next = next;
            state.took = state.took.split_off(&next);
        });
        photo
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.turns.change(|state| state.is_over = true);
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
        let mut photos = ahead(paths, 2, |path: &PathBuf, turn: &Turn<'_>| turn.open(path, Window::Full));
        // The pipe has no writer yet, so all that can be ready is ready when nothing has come for a while.
        let pause = std::time::Duration::from_millis(500);
        let early: Vec<_> = std::iter::from_fn(|| photos.ready.recv_timeout(pause).ok()).collect();
        assert_eq!(early.len(), 3, "the window holds four photos, the slow one included");
        photos.early.extend(early);
        std::fs::write(slow, "no picture").unwrap();
        assert!(photos.next().unwrap().is_err());
        assert_eq!(photos.filter(|photo| photo.is_ok()).count(), 40);
    }

    /// Photos too large to be many come in their order nevertheless, and little is held meanwhile.
    #[test]
    fn large_photos_wait_for_their_turn() {
        use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
        let held = Arc::new([0, 0].map(AtomicUsize::new));
        let counts = held.clone();
        let open = move |at: &u32, turn: &Turn<'_>| {
            // The first threads come last.
            std::thread::sleep(Duration::from_millis(u64::from(3 - at % 4)));
            drop(turn.take("a test", if at % 5 == 4 { 90 } else { 800 })?);
            if at % 5 != 4 {
                counts[1].fetch_max(1 + counts[0].fetch_add(1, Relaxed), Relaxed);
            }
            Photo::from_rgba(&at.to_string(), 8, 8, vec![0; 256])
        };
        let mut photos = within(1000, (0..40).collect(), 4, open);
        for at in 0..40 {
            let photo = photos.next().unwrap().unwrap();
            assert_eq!(photo.name, at.to_string());
            held[0].fetch_sub(usize::from(at % 5 != 4), Relaxed);
        }
        assert!(photos.next().is_none());
        // The one that is waited for, one ahead, and one that was handed over but not yet counted.
        assert!((2..=3).contains(&held[1].load(Relaxed)), "{held:?}");
    }

    /// Photos that were given up come nevertheless, in their order.
    #[test]
    fn given_up_photos() {
        let mut photos = within(10_000, (0..30).collect(), 3, |at: &u32, turn: &Turn<'_>| {
            drop(turn.take("a test", 800)?);
            Photo::from_rgba(&at.to_string(), 8, 8, vec![0; 256])
        });
        let mut given_up = 0;
        for at in 0..30 {
            assert_eq!(photos.next().unwrap().unwrap().name, at.to_string());
            if at % 4 == 2 {
                std::thread::sleep(Duration::from_millis(5));
                given_up += usize::from(photos.alone());
                assert!(photos.early.is_empty() && !photos.alone());
            }
            if at % 7 == 3 {
                photos.again();
            }
        }
        assert!(photos.next().is_none() && given_up > 2, "{given_up}");
    }

    /// What does not fit is told, stays the next one, and does not keep others.
    #[test]
    fn too_large_photos() {
        let photos = vec![1_u64, 1 << 60, 1];
        let mut photos = ahead(photos, 2, |bytes, turn: &Turn<'_>| {
            drop(turn.take("it", *bytes)?);
            Photo::from_rgba("it", 8, 8, vec![0; 256])
        });
        assert!(photos.next().unwrap().is_ok());
        for _ in 0..2 {
            assert!(matches!(photos.peek(), Some(Err(Error::Memory { .. }))));
            photos.again();
        }
        assert!(photos.next_if(|photo| photo.is_ok()).is_none());
        assert!(photos.next().unwrap().is_err() && photos.next().unwrap().is_ok() && photos.next().is_none());
    }
}
