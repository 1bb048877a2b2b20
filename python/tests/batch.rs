//! Prints the milliseconds of a batch of eight with the bundled model, for `cost.py` to compare with.

use std::time::{Duration, Instant};

use gradcam::{Classes, Device, Explainer, Images, Model, Outputs};

fn main() -> gradcam::Result<()> {
    let mut explainer = Explainer::new(Model::bundled()?, Device::gpu()?);
    let shape = [8, 3, 224, 224];
    let values: Vec<f32> =
        (0..shape.iter().product::<usize>()).map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0).collect();
    let outputs = Outputs::default().logits(true).raw(true).heatmap(true);
    let mut explain = || {
        let begin = Instant::now();
        explainer.explain(Images::Tensor { shape, values: &values }, &Classes::Top(1), &outputs)?;
        Ok::<_, gradcam::Error>(begin.elapsed())
    };
    explain()?;
    let mut times: Vec<Duration> = vec![];
    while times.iter().sum::<Duration>() < Duration::from_secs(3) {
        times.push(explain()?);
    }
    times.sort_unstable();
    println!("{:.2}", times[times.len() / 2].as_secs_f64() * 1e3);
    Ok(())
}
