//! Whole explanations on the best device. The throughput is in images.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use gradcam::model::seeded;
use gradcam::{Classes, Device, Explainer, Images, Model, Outputs, Photo, Result};

/// The bundled model on a photo, with heat map and overlay, and a network of torchvision from tensor to heat maps.
fn explain(criterion: &mut Criterion) -> Result<()> {
    let mut group = criterion.benchmark_group("explain");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));

    let photo = Photo::open("examples/chelsea.png")?;
    let mut explainer = Explainer::new(Model::bundled()?, Device::gpu()?);
    group.throughput(Throughput::Elements(1)).bench_function("bundled model, a photo", |b| {
        let mut run = || explainer.explain_photo(&photo, Classes::Top(1)).expect("the device works");
        run(); // The first run compiles.
        b.iter(run);
    });

    let mut explainer = Explainer::new(Model::seeded("resnet18", 1000, 1.0)?, Device::gpu()?);
    let outputs = Outputs::default().heatmap(true);
    for batch in [1, 8] {
        let shape = [batch, 3, 224, 224];
        let values: Vec<f32> = seeded::unit("input", shape.iter().product()).map(|u| u * 4.0 - 2.0).collect();
        let images = Images::Tensor { shape, values: &values };
        group.throughput(Throughput::Elements(batch as u64)).bench_function(format!("resnet18, batch {batch}"), |b| {
            let mut run = || explainer.explain(images, &Classes::Top(1), &outputs).expect("the device works");
            run();
            b.iter(run);
        });
    }
    Ok(())
}

/// Runs the benchmarks, or panics with a hint.
fn benches(criterion: &mut Criterion) {
    explain(criterion).expect("a graphics adapter: run `make setup`");
}

criterion_group!(all, benches);
criterion_main!(all);
