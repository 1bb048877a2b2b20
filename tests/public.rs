//! Guarantees for users that embed the library.

use gradcam::{Device, Error, Explainer, Gpu, Model, Pending, Photo};

fn crosses_threads<T: Send + Sync>() {}

/// A server keeps these types in a thread pool.
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
