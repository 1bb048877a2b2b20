//! What those who embed the library rely on.

use gradcam::{Device, Error, Explainer, Gpu, Model, Pending, Photo};

fn crosses_threads<T: Send + Sync>() {}

/// A server keeps them in a pool of threads.
#[test]
fn main_types_cross_threads() {
    crosses_threads::<Model>();
    crosses_threads::<Photo>();
    crosses_threads::<Gpu>();
    crosses_threads::<Device>();
    crosses_threads::<Explainer>();
    crosses_threads::<Pending>();
    crosses_threads::<Error>();
}
