//! The architectures, one file a family, each written as its paper's table reads.

mod alexnet;
mod architecture;
mod conv_norm;
mod convnext;
mod densenet;
mod divisible;
mod efficientnet;
mod googlenet;
mod inception;
mod mnasnet;
mod mobilenet_v2;
mod mobilenet_v3;
mod regnet;
mod resnet;
mod shufflenet_v2;
mod squeeze_excitation;
mod squeezenet;
mod timm_efficientnet;
mod vgg;

pub use architecture::{Architecture, Build, Library, Size};

/// The families' rows.
const FAMILIES: &[&[Architecture]] = &[
    alexnet::ROWS,
    convnext::ROWS,
    densenet::ROWS,
    efficientnet::ROWS,
    googlenet::ROWS,
    inception::ROWS,
    mnasnet::ROWS,
    mobilenet_v2::ROWS,
    mobilenet_v3::ROWS,
    regnet::ROWS,
    resnet::ROWS,
    shufflenet_v2::ROWS,
    squeezenet::ROWS,
    timm_efficientnet::ROWS,
    vgg::ROWS,
];

/// Every architecture.
pub fn architectures() -> impl Iterator<Item = &'static Architecture> + Clone {
    FAMILIES.iter().copied().flatten()
}
