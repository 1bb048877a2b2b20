//! Explanations one after the other take no more memory than few. Alone in its process, because that is what is measured.
#![cfg(target_os = "linux")]

use std::time::Instant;

use gradcam::model::zoo::{Architecture, architectures};
use gradcam::{Classes, Device, Explainer, Images, Method, Model, Outputs, Sampling};

/// Resident memory of this process, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// Many explanations take no more memory than few: by all methods together, or with `GRADCAM_SOAK=1000` as many by each.
#[test]
fn memory_stays_flat() {
    let soak = std::env::var("GRADCAM_SOAK").ok().and_then(|count| count.parse().ok());
    // CAM is for the last layer only, Refine-CAM for several.
    let others: Vec<Method> = Method::ALL.iter().copied().filter(|method| *method != Method::Cam).collect();
    let groups = match soak {
        None => vec![vec![Method::Cam], others],
        Some(_) => Method::ALL.iter().map(|method| vec![*method]).collect(),
    };
    let count = soak.unwrap_or(30);
    let is_own = |a: &&Architecture| a.name == "resnet18" && format!("{:?}", a.library) == "Torchvision";
    let model = Model::seeded_as(architectures().find(is_own).unwrap(), 101, 1.0).unwrap();
    let mut explainer = Explainer::new(model, Device::gpu().unwrap());
    let values: Vec<f32> = (0..3 * 33 * 40).map(|i| (i as f32 * 0.37).sin()).collect();
    let sampling = Sampling::default().samples(2).channels(32).patch(20);
    let default = explainer.model().default_layer().to_owned();
    for methods in groups {
        let layers: &[&str] = if methods.contains(&Method::RefineCam) { &[&default, "layer3"] } else { &[&default] };
        let names = methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(" ");
        explainer = explainer.with_methods(&methods).with_sampling(sampling).with_layers(layers).unwrap();
        let mut explain = || {
            let images = Images::Tensor { shape: [1, 3, 33, 40], values: &values };
            explainer.explain(images, &Classes::Top(1), &Outputs::default().heatmap(true)).unwrap();
        };
        (0..10).for_each(|_| explain());
        let (before, begin) = (resident(), Instant::now());
        (0..count).for_each(|_| explain());
        let grown = resident() - before;
        println!(
            "{names}: {grown:.1} MiB after {count} explanations, {:.1} ms each",
            begin.elapsed().as_secs_f64() * 1e3 / count as f64
        );
        // Allocators keep some of what is given back.
        assert!(grown < 8.0, "{names}: {grown:.1} MiB");
    }
}
