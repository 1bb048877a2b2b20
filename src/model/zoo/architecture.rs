//! A row of the table of architectures.

use std::sync::Arc;

use crate::graph::{Builder, Graph, GraphError, Kind, NodeId, Op, ParamId, ParamSource};

/// The library whose names an architecture uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Library {
    /// `torchvision.models`. If timm has the same tensors under the same names, its files fit too.
    Torchvision,
    /// `timm`.
    Timm,
    /// `transformers`, of networks that are others there.
    Transformers,
}

impl std::fmt::Display for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
            Self::Transformers => "transformers",
        })
    }
}

#[doc(hidden)]
/// Appends a network to the builder. Takes the image features and the number of classes, returns the logits.
pub type Build = fn(&mut Builder, NodeId, usize) -> Result<NodeId, GraphError>;

/// An architecture that weights can be loaded into.
#[derive(Clone, Copy)]
pub struct Architecture {
    /// The library's name for it. torchvision and timm may each have a row of the same name; the tensors decide
    /// between them.
    pub name: &'static str,
    /// The library whose names it uses.
    pub library: Library,
    /// Module path of the last feature map before global pooling.
    pub default_layer: &'static str,
    /// The classifier's module path. The length of its bias is the number of classes.
    pub classifier: &'static str,
    /// Height and width of the input, unless the weights say otherwise.
    pub size: usize,
    /// Whether it stands for a family, whose depth and width the tensors tell. Rows with a depth go before it.
    pub family: bool,
    /// Whether it can dilate its last stages instead of striding.
    pub dilates: bool,
    /// Entries of a config that would change the computation, with the only value that is followed.
    pub needs: &'static [(&'static str, &'static str)],
    /// Other networks of its library with the same tensors, which have no row.
    pub twins: &'static [&'static str],
    /// Prefixes of the names of unused tensors, such as those of auxiliary classifiers.
    pub ignored: &'static [&'static str],
    #[doc(hidden)]
    pub build: Build,
}

impl Architecture {
    pub(super) const fn new(name: &'static str, library: Library, classifier: &'static str, build: Build) -> Self {
        Self {
            name,
            library,
            default_layer: "features",
            classifier,
            size: 224,
            family: false,
            dilates: false,
            needs: &[],
            twins: &[],
            ignored: &[],
            build,
        }
    }
}

impl Architecture {
    /// Number of parameters, and multiply-adds of a forward pass at the row's input size, for ImageNet's 1000
    /// classes.
    ///
    /// # Errors
    /// None, unless the row is wrong.
    pub fn size(&self) -> Result<Size, GraphError> {
        let mut graph = Graph::default();
        let input = graph.input(Kind::Plain, [1, 3, self.size, self.size]);
        let x = graph.push(Op::Pack, &[input])?;
        let mut shapes = Shapes;
        let mut builder = Builder::new(graph, &mut shapes);
        (self.build)(&mut builder, x, 1000)?;
        let (graph, _) = builder.finish();
        let numbers = |p: ParamId| graph.params[p].shape.iter().product::<usize>();
        Ok(Size {
            parameters: (0..graph.params.len()).map(numbers).sum(),
            multiply_adds: (0..graph.nodes.len()).map(|id| graph.multiply_adds(id)).sum(),
        })
    }
}

/// Size of a network.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Size {
    /// Number of trained parameters.
    pub parameters: usize,
    /// Multiply-adds of a forward pass of one image.
    pub multiply_adds: u64,
}

/// A source of tensors without values, for shape inference alone.
struct Shapes;

impl ParamSource for Shapes {
    fn get(&mut self, _name: &str, _shape: &[usize]) -> Arc<[f32]> {
        Arc::new([])
    }
}
