//! Builds a graph in the style of a PyTorch module's `forward`, and records module paths.

use std::sync::Arc;

use super::{
    Activation, Conv2d, Graph, GraphError, LayerNorm, Linear, NodeId, Op, Param, ParamId, ParamSource, Window,
};

/// Appends layers to a graph under PyTorch's module paths.
pub struct Builder<'a> {
    /// The graph so far.
    pub graph: Graph,
    pub(super) source: &'a mut dyn ParamSource,
    scope: String,
    modules: Vec<(String, NodeId)>,
}

impl<'a> Builder<'a> {
    /// Continues `graph` with tensors from `source`.
    pub fn new(graph: Graph, source: &'a mut dyn ParamSource) -> Self {
        Self { graph, source, scope: String::new(), modules: vec![] }
    }

    /// The finished graph, and each module path with its output node, in PyTorch's order.
    pub fn finish(self) -> (Graph, Vec<(String, NodeId)>) {
        (self.graph, self.modules)
    }

    /// Runs `body` inside the module `name`. The node that `body` returns is the module's output.
    ///
    /// # Errors
    /// Those of `body`.
    pub fn module(
        &mut self,
        name: &str,
        body: impl FnOnce(&mut Self) -> Result<NodeId, GraphError>,
    ) -> Result<NodeId, GraphError> {
        let path = self.path(name);
        let outer = std::mem::replace(&mut self.scope, path.clone());
        let place = self.modules.len();
        self.modules.push((path, 0));
        let output = body(self).map_err(|error| error.within(&self.modules[place].0));
        self.scope = outer;
        self.modules[place].1 = *output.as_ref().unwrap_or(&0);
        output
    }

    /// `torch.nn.Conv2d` as the module `name`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn conv(
        &mut self,
        name: &str,
        x: NodeId,
        out: usize,
        window: Window,
        groups: usize,
        bias: bool,
    ) -> Result<NodeId, GraphError> {
        let [kernel_h, kernel_w] = window.kernel;
        let shape = [out, self.graph.shape(x)[1] / groups, kernel_h, kernel_w];
        self.module(name, |b| {
            let weight = b.param("weight", &shape);
            let bias = bias.then(|| b.param("bias", &[out]));
            b.graph.push(Op::Conv2d(Conv2d { weight, bias, out_channels: out, window, groups }), &[x])
        })
    }

    /// `torch.nn.BatchNorm2d` in evaluation mode, then `activation`, together as the module `name`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn batch_norm(
        &mut self,
        name: &str,
        x: NodeId,
        eps: f32,
        activation: Option<Activation>,
    ) -> Result<NodeId, GraphError> {
        let channels = [self.graph.shape(x)[1]];
        self.module(name, |b| {
            let [gamma, beta, mean, var] =
                ["weight", "bias", "running_mean", "running_var"].map(|t| b.source.get(&b.path(t), &channels));
            let scale: Arc<[f32]> = gamma.iter().zip(var.iter()).map(|(g, v)| g / (v + eps).sqrt()).collect();
            let shift = beta.iter().zip(mean.iter()).zip(scale.iter()).map(|((b, m), s)| b - m * s).collect();
            let scale = b.graph.param(Param::new(b.path("scale"), channels.to_vec(), scale));
            let shift = b.graph.param(Param::new(b.path("shift"), channels.to_vec(), shift));
            let y = b.graph.push(Op::ScaleShift { scale, shift: Some(shift) }, &[x])?;
            activation.map_or(Ok(y), |f| b.graph.push(Op::Activate(f), &[y]))
        })
    }

    /// `torch.nn.Linear` over the flattened input, as the module `name`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn linear(&mut self, name: &str, x: NodeId, out: usize, bias: bool) -> Result<NodeId, GraphError> {
        let [_, c, h, w] = self.graph.shape(x);
        self.module(name, |b| {
            let weight = b.param("weight", &[out, c * h * w]);
            let bias = bias.then(|| b.param("bias", &[out]));
            b.graph.push(Op::Linear(Linear { weight, bias, out_features: out }), &[x])
        })
    }

    /// A linear layer over the channels of each pixel, as the module `name`: a 1×1 convolution whose weight is stored
    /// as a matrix.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn pointwise(&mut self, name: &str, x: NodeId, out: usize) -> Result<NodeId, GraphError> {
        let shape = [out, self.graph.shape(x)[1]];
        self.module(name, |b| {
            let weight = b.param("weight", &shape);
            let bias = Some(b.param("bias", &[out]));
            let conv = Conv2d { weight, bias, out_channels: out, window: Window::square(1, 1, 0), groups: 1 };
            b.graph.push(Op::Conv2d(conv), &[x])
        })
    }

    /// Layer normalisation over channels as the module `name`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn layer_norm(&mut self, name: &str, x: NodeId, eps: f32) -> Result<NodeId, GraphError> {
        let channels = [self.graph.shape(x)[1]];
        self.module(name, |b| {
            let norm = LayerNorm { weight: b.param("weight", &channels), bias: b.param("bias", &channels), eps };
            b.graph.push(Op::LayerNorm(norm), &[x])
        })
    }

    /// A layer scale: `x · scale[c]`, where `scale` is the parameter `name` with the given shape.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn layer_scale(&mut self, name: &str, x: NodeId, shape: &[usize]) -> Result<NodeId, GraphError> {
        let scale = self.param(name, shape);
        self.graph.push(Op::ScaleShift { scale, shift: None }, &[x])
    }

    /// `x · scale[c] + shift[c]` with the given numbers.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn affine(&mut self, name: &str, x: NodeId, scale: &[f32], shift: &[f32]) -> Result<NodeId, GraphError> {
        let mut param = |part: &str, values: &[f32]| {
            let name = format!("{name}.{part}");
            self.graph.param(Param::new(name, vec![values.len()], values.into()))
        };
        let (scale, shift) = (param("scale", scale), param("shift", shift));
        self.graph.push(Op::ScaleShift { scale, shift: Some(shift) }, &[x])
    }

    /// An operation with one operand that is a module in PyTorch, such as a pool or an activation.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn layer(&mut self, name: &str, x: NodeId, op: Op) -> Result<NodeId, GraphError> {
        self.module(name, |b| b.graph.push(op, &[x]))
    }

    /// An operation that is not a module in PyTorch, such as `+` or a functional activation.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the operands do not fit.
    pub fn op(&mut self, op: Op, operands: &[NodeId]) -> Result<NodeId, GraphError> {
        self.graph.push(op, operands)
    }

    /// `torch.cat(parts, 1)`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the parts do not fit together.
    pub fn concat(&mut self, parts: &[NodeId]) -> Result<NodeId, GraphError> {
        let (first, others) = parts.split_first().ok_or_else(|| GraphError::no_operands("concatenation"))?;
        others.iter().try_fold(*first, |joined, part| self.graph.push(Op::Concat, &[joined, *part]))
    }

    /// Channels of a node's value.
    pub fn channels(&self, x: NodeId) -> usize {
        self.graph.shape(x)[1]
    }

    /// The extents of the tensor `name` of the module here, if they are known.
    pub fn shape_of(&self, name: &str) -> Option<&[usize]> {
        self.source.shape(&self.path(name))
    }

    /// The stride that the last feature map should have.
    pub fn output_stride(&self) -> usize {
        self.source.output_stride()
    }

    /// The full path of the module `name` here.
    pub fn path(&self, name: &str) -> String {
        if self.scope.is_empty() { name.into() } else { format!("{}.{name}", self.scope) }
    }

    fn param(&mut self, tensor: &str, shape: &[usize]) -> ParamId {
        let name = self.path(tensor);
        let values = self.source.get(&name, shape);
        self.graph.param(Param::new(name, shape.to_vec(), values))
    }
}
