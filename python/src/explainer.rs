//! Explanations of lists of pictures and of tensors, batch by batch. The device works on one batch while the next one is decoded.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use gradcam::model::Preprocess;
use gradcam::picture::{Ahead, Crop, Turn, ahead};
use gradcam::{Classes, Error, Explainer as Inner, Explanation, Images, Outputs, Pending, Photo, Result};
use numpy::{PyReadonlyArray1, PyReadonlyArray4, PyUntypedArrayMethods};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::device::Device;
use crate::errors::{is_interrupted, named, raised, spoken};
use crate::model::Model;
use crate::once::{Once, closed};
use crate::photo::Source;
use crate::request::{Request, parse};
use crate::result::{Explained, explained};

/// A model on a device. Threads wait for each other.
#[pyclass(frozen, module = "gradcam._engine")]
pub struct Explainer(Once<Inner>);

/// A picture's explanation, the part of it that the network saw (left, top, width, height), and what is to be said of it.
type OfPicture<'py> = (Explained<'py>, [f64; 4], Option<String>);

#[pymethods]
impl Explainer {
    #[new]
    fn new(model: &Model, device: &Device) -> PyResult<Self> {
        Ok(Self(Once::new(Inner::new(model.0.clone(), device.get()?))))
    }

    /// Explains pictures, each with a name.
    #[pyo3(signature = (pictures, request, similar_to=None))]
    fn photos<'py>(
        &self,
        py: Python<'py>,
        pictures: Vec<(String, Bound<'py, PyAny>)>,
        request: &str,
        similar_to: Option<PyReadonlyArray1<'py, f32>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let sources = pictures.into_iter().map(|(name, given)| Source::of(name, &given));
        let sources = sources.collect::<PyResult<Vec<Source>>>()?;
        let count = sources.len();
        let explain = move |run: &mut Run, all: &mut [Option<Result<Seen>>]| {
            let mut photos = decoded(sources, &run.inner.model().preprocess);
            let mut at = 0;
            while photos.peek().is_some() {
                run.pictures(&mut photos, &mut at, all)?;
            }
            Ok(())
        };
        let all = self.run(py, request, similar_to, count, explain)?;
        let of_picture = |seen: Option<Result<Seen>>| match seen {
            Some(Ok(Seen { explanation, crop, remark })) => {
                let of_picture: OfPicture<'py> =
                    (explained(py, explanation)?, crop, remark.map(|remark| spoken(&remark)));
                of_picture.into_bound_py_any(py)
            }
            Some(Err(error)) => raised(error).into_bound_py_any(py),
            None => Ok(py.None().into_bound(py)),
        };
        all.into_iter().map(of_picture).collect()
    }

    /// Explains normalised numbers `[N,C,H,W]`.
    #[pyo3(signature = (images, request, similar_to=None))]
    fn tensor<'py>(
        &self,
        py: Python<'py>,
        images: PyReadonlyArray4<'py, f32>,
        request: &str,
        similar_to: Option<PyReadonlyArray1<'py, f32>>,
    ) -> PyResult<Vec<Explained<'py>>> {
        let &[n, channels, height, width] = images.shape() else { unreachable!("the type has four axes") };
        let copied;
        let values = match images.as_slice() {
            Ok(values) => values,
            Err(_) => {
                copied = images.as_array().iter().copied().collect::<Vec<f32>>();
                &copied
            }
        };
        let explain = |run: &mut Run, all: &mut [Option<Result<Seen>>]| {
            let plane = channels * height * width;
            for first in (0..n).step_by(run.size) {
                let part = first..n.min(first + run.size);
                let shape = [part.len(), channels, height, width];
                let values = &values[part.start * plane..part.end * plane];
                run.submit(Images::Tensor { shape, values }, part.map(|at| (at, [0.0; 4], None)).collect(), None, all)?;
            }
            Ok(())
        };
        let all = self.run(py, request, similar_to, n, explain)?;
        let explanations = all.into_iter().flatten().map(|seen| explained(py, seen.map_err(raised)?.explanation));
        explanations.collect()
    }

    /// Frees the memory on the device.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.lock().map(|mut inner| drop(inner.take())))
    }
}

impl Explainer {
    /// Explains so many images, without Python's lock.
    fn run(
        &self,
        py: Python<'_>,
        request: &str,
        similar_to: Option<PyReadonlyArray1<'_, f32>>,
        count: usize,
        explain: impl FnOnce(&mut Run, &mut [Option<Result<Seen>>]) -> Result<()> + Send,
    ) -> PyResult<Vec<Option<Result<Seen>>>> {
        let request: Request = parse(request).map_err(raised)?;
        let _busy = Busy::begin()?;
        let similar_to: Option<Vec<f32>> = similar_to.map(|values| values.as_array().iter().copied().collect());
        py.detach(|| {
            let mut place = self.0.lock()?;
            let inner = place.as_mut().ok_or_else(|| closed("model"))?;
            request.apply(inner, similar_to.as_deref()).map_err(raised)?;
            let classes = request.classes(inner.model()).map_err(raised)?;
            let (outputs, size) = (request.outputs(), request.batch_size.max(1));
            let mut run = Run { inner, classes, outputs, size, skip: request.skip, flying: None };
            let mut all: Vec<Option<Result<Seen>>> = (0..count).map(|_| None).collect();
            explain(&mut run, &mut all).and_then(|()| land(&mut run.flying, &mut all)).map_err(raised)?;
            Ok(all)
        })
    }
}

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// A run on this thread. Signal handlers run during waits, and would wait for what waits for them.
struct Busy;

impl Busy {
    fn begin() -> PyResult<Self> {
        match BUSY.replace(true) {
            true => {
                Err(named("RequestError", "this thread is explaining already; a signal handler cannot explain too"))
            }
            false => Ok(Self),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}

/// One image, explained.
struct Seen {
    explanation: Explanation,
    crop: [f64; 4],
    remark: Option<String>,
}

/// Of an image in a batch: its place among all, the part of it that is seen, and what is to be said of it.
type Image = (usize, [f64; 4], Option<String>);

/// A run over all images.
struct Run<'a> {
    inner: &'a mut Inner,
    classes: Classes,
    outputs: Outputs,
    /// Images of a batch.
    size: usize,
    skip: bool,
    /// The batch that the device works on.
    flying: Option<(Vec<Image>, Pending)>,
}

impl Run<'_> {
    /// Submits the next pictures, from number `next` on, in batches of one input size.
    fn pictures(&mut self, queue: &mut Ahead, next: &mut usize, all: &mut [Option<Result<Seen>>]) -> Result<()> {
        let preprocess = self.inner.model().preprocess.clone();
        let mut photos: Vec<(usize, Photo)> = vec![];
        while photos.len() < self.size {
            if let Some(Err(Error::Memory { .. })) = queue.peek() {
                if !photos.is_empty() {
                    break;
                }
                // All that this run holds is freed before a picture counts as too large.
                land(&mut self.flying, all)?;
                self.inner.forget_plans();
                queue.again();
            }
            let Some(photo) = queue.next() else { break };
            match photo {
                Ok(photo) => photos.push((*next, photo)),
                Err(error) if self.skip => all[*next] = Some(Err(error)),
                Err(error) => return Err(error),
            }
            *next += 1;
        }
        let side = |photo: &Photo| preprocess.input_size(photo.width() as usize, photo.height() as usize);
        photos.sort_by_key(|(_, photo)| side(photo));
        while let Some(first) = photos.first().map(|(_, photo)| side(photo)) {
            let rest = photos.split_off(photos.partition_point(|(_, photo)| side(photo) <= first));
            let image = |(at, photo): &(usize, Photo)| {
                let crop = Crop::of(&preprocess, photo.width(), photo.height()).in_photo();
                (*at, crop, photo.remark().map(str::to_owned))
            };
            let images = photos.iter().map(image).collect();
            let batch: Vec<Photo> = photos.into_iter().map(|(_, photo)| photo).collect();
            self.submit(Images::Photos(&batch), images, Some(queue), all)?;
            photos = rest;
        }
        Ok(())
    }

    /// Submits a batch, and waits for the one before it.
    fn submit(
        &mut self,
        batch: Images<'_>,
        images: Vec<Image>,
        queue: Option<&mut Ahead>,
        all: &mut [Option<Result<Seen>>],
    ) -> Result<()> {
        if is_interrupted() {
            return Err(Error::Interrupted);
        }
        let own = match &self.classes {
            Classes::PerImage(each) => {
                let of = |(at, ..): &Image| each.get(*at).cloned().unwrap_or_default();
                Classes::PerImage(images.iter().map(of).collect())
            }
            other => other.clone(),
        };
        let submit = |inner: &mut Inner| pollster::block_on(inner.submit(batch, &own, &self.outputs));
        let pending = match submit(self.inner) {
            // The pending batch holds memory too, and so do plans of other shapes and pictures decoded ahead.
            Err(error) if error.is_memory() => {
                land(&mut self.flying, all)?;
                self.inner.forget_plans();
                queue.map(Ahead::alone);
                submit(self.inner)?
            }
            other => other?,
        };
        land(&mut self.flying, all)?;
        self.flying = Some((images, pending));
        Ok(())
    }
}

/// Waits for a batch, if there is one, and puts its images into their places.
fn land(flying: &mut Option<(Vec<Image>, Pending)>, all: &mut [Option<Result<Seen>>]) -> Result<()> {
    let Some((images, pending)) = flying.take() else { return Ok(()) };
    let batch = pollster::block_on(pending.finish())?;
    for ((at, crop, remark), explanation) in images.into_iter().zip(batch.explanations) {
        all[at] = Some(Ok(Seen { explanation, crop, remark }));
    }
    Ok(())
}

/// Decodes pictures ahead, on several threads, and makes the network's input of them.
fn decoded(sources: Vec<Source>, preprocess: &Preprocess) -> Ahead {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let preprocess = preprocess.clone();
    ahead(sources, threads, move |source: &Source, turn: &Turn<'_>| {
        // A photo that a decoder fails at is only one of many.
        let open = || source.open_in(turn).map(|photo| photo.without_pixels(&preprocess));
        let opened = catch_unwind(AssertUnwindSafe(open));
        opened.unwrap_or_else(|_| {
            let reason = "its decoder failed; please report this picture".into();
            Err(Error::Picture { what: "a picture".into(), reason })
        })
    })
}
