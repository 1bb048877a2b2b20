//! A run over all images, in batches. While the device works on a batch, the next ones are prepared.

use std::collections::VecDeque;
use std::time::Instant;

use gradcam::picture::Ahead;
use gradcam::{Batch, Classes, Device, Explainer, Images, Outputs, Pending, Photo, Result};

use super::results::{Image, Results};
use super::slow;
use super::tensors::Tensors;
use crate::cli::say::{Failure, say};

/// Maximum number of batches that a device works on. The CPU is done when it begins.
const IN_FLIGHT: usize = 3;

pub struct Run {
    pub explainer: Explainer,
    pub outputs: Outputs,
    pub classes: Classes,
    pub results: Results,
    /// Begin and end of the device's work on each batch, in nanoseconds of its clock.
    pub busy: Vec<[u64; 2]>,
    /// Bytes that the photos of a batch may take. A device that has the system's memory needs three times as much for
    /// their overlays, and several batches are pending.
    pub most: u64,
    /// When the device began to be opened, until the first batch is submitted.
    pub opened: Option<Instant>,
}

/// A batch of photos.
type Part = (Vec<Image>, Vec<Photo>);

impl Run {
    /// Explains photos, of which `images` tells the names. One that cannot be read is reported and skipped.
    pub fn photos(
        &mut self,
        mut queue: Ahead,
        mut images: impl Iterator<Item = Image>,
        mut size: usize,
    ) -> Result<(), Failure> {
        let mut flying: VecDeque<(Vec<Image>, Pending)> = VecDeque::new();
        loop {
            let part = self.batch(&mut queue, &mut images, size);
            let is_empty = part.0.is_empty();
            if is_empty && queue.peek().is_none() {
                while self.land(&mut flying)? {}
                return Ok(());
            }
            if is_empty {
                // The next photo lacks memory. All that this run holds is freed before it counts as too large.
                while self.land(&mut flying)? {}
                self.explainer.forget_plans();
                queue.again();
                if let Some(Err(error)) = queue.next_if(|photo| photo.is_err()) {
                    images.by_ref().take(1).for_each(|image| self.results.fail(&image, &error));
                }
                continue;
            }
            let mut parts = vec![part];
            while let Some((mut images, mut photos)) = parts.pop() {
                let submitted = self.explainer.submit(Images::Photos(&photos), &self.classes, &self.outputs);
                match pollster::block_on(submitted) {
                    // Pending batches hold memory too, and so do plans of other shapes and photos decoded ahead.
                    Err(error)
                        if error.is_memory()
                            && (self.land(&mut flying)? || self.explainer.forget_plans() || queue.alone()) =>
                    {
                        parts.push((images, photos));
                    }
                    Err(error) if error.is_memory() && photos.len() > 1 => {
                        // Halve the batch, for all later photos too.
                        size = photos.len() / 2;
                        let rest = (images.split_off(size), photos.split_off(size));
                        parts.extend([rest, (images, photos)]);
                    }
                    // Other photos may be smaller.
                    Err(error) if error.is_memory() => self.results.fail(&images[0], &error),
                    result => flying.push_back((images, result?)),
                }
                if let Some(opened) = self.opened.take() {
                    self.results.bar.suspend(|| slow::remark(opened.elapsed(), self.explainer.device()));
                }
                let most = if matches!(self.explainer.device(), Device::Cpu) { 1 } else { IN_FLIGHT };
                while flying.len() >= most {
                    self.land(&mut flying)?;
                }
            }
        }
    }

    /// The next photos that can be read, give inputs of one size and do not take too much memory, up to `size`. None if
    /// the next one lacks memory, or there is no other.
    fn batch(&mut self, queue: &mut Ahead, images: &mut impl Iterator<Item = Image>, size: usize) -> Part {
        let mut part: Part = (vec![], vec![]);
        let preprocess = self.explainer.model().preprocess.clone();
        let side = |photo: &Photo| preprocess.input_size(photo.width() as usize, photo.height() as usize);
        let mut bytes = 0;
        while part.0.len() < size {
            let first = part.1.first().map(side);
            let fits =
                |photo: &Photo| first.is_none_or(|first| first == side(photo) && bytes + photo.bytes() <= self.most);
            let next = queue.next_if(|photo| match photo {
                Ok(photo) => fits(photo),
                Err(error) => !error.is_memory(),
            });
            match next.map(|photo| (photo, images.next())) {
                Some((Ok(photo), Some(image))) => {
                    if let Some(remark) = photo.remark() {
                        self.results.bar.suspend(|| say(&format!("{}: {remark}", image.name)));
                    }
                    bytes += photo.bytes();
                    part.0.push(Image { seen: Some(photo.seen(&preprocess)), ..image });
                    part.1.push(photo);
                }
                Some((Err(error), Some(image))) => self.results.fail(&image, &error),
                _ => break,
            }
        }
        part
    }

    /// Waits for the oldest pending batch, if there is one, and shows its results.
    fn land(&mut self, flying: &mut VecDeque<(Vec<Image>, Pending)>) -> Result<bool, Failure> {
        let Some((images, pending)) = flying.pop_front() else { return Ok(false) };
        let mut progress = |done, parts| self.results.part(done, parts);
        let batch = pollster::block_on(pending.finish_with(&mut progress))?;
        self.show(&images, &batch)?;
        Ok(true)
    }

    fn show(&mut self, images: &[Image], batch: &Batch) -> Result<(), Failure> {
        self.busy.extend(batch.stats.device_ns);
        images.iter().zip(&batch.explanations).try_for_each(|(image, of_it)| self.results.show(image, of_it, batch))
    }

    /// Explains the images of a file.
    pub fn tensors(&mut self, tensors: &Tensors, names: &[String], mut size: usize) -> Result<(), Failure> {
        let [n, c, h, w] = tensors.shape;
        let mut first = 0;
        while first < n {
            let last = n.min(first + size);
            let images = Images::Tensor {
                shape: [last - first, c, h, w],
                values: &tensors.values[first * c * h * w..last * c * h * w],
            };
            let own = tensors.classes.as_ref().map(|c| Classes::PerImage(c[first..last].to_vec()));
            let batch = match self.explainer.explain(images, own.as_ref().unwrap_or(&self.classes), &self.outputs) {
                Err(error) if error.is_memory() && self.explainer.forget_plans() => continue,
                Err(error) if error.is_memory() && last - first > 1 => {
                    size = (last - first) / 2;
                    continue;
                }
                result => result?,
            };
            let images = (first..last).map(|index| Image::new(index, names));
            self.show(&images.collect::<Vec<_>>(), &batch)?;
            first = last;
        }
        Ok(())
    }

    /// Prints the photos per second and the device's share of busy time.
    pub fn timing(&self, seconds: f64) {
        if let (Some(first), Some(last)) = (self.busy.first(), self.busy.last()) {
            let worked: u64 = self.busy.iter().map(|[begin, end]| end - begin).sum();
            let share = worked as f64 / (last[1] - first[0]) as f64 * 100.0;
            let rate = self.results.done as f64 / seconds;
            say(&format!("{rate:.1} photos/s, {seconds:.2} s in all; the device was busy {share:.1} % of its time"));
        }
    }
}
