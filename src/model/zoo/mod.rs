//! The architectures: one file per family, written in the order of its paper's table.

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
mod transformers;
pub(crate) mod transforms;
mod vgg;

pub use architecture::{Architecture, Build, Library, Size};

/// The rows of all families.
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
    transformers::ROWS,
    vgg::ROWS,
];

/// All architectures.
pub fn architectures() -> impl Iterator<Item = &'static Architecture> + Clone {
    FAMILIES.iter().copied().flatten()
}
