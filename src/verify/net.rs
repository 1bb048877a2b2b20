//! Small graphs with reproducible numbers, for the cases and the tests.

use half::f16;

use crate::graph::{Conv2d, Graph, Kind, LayerNorm, Linear, NodeId, Op, Param, ParamId, Shape, Window};

/// The nearest number that f16 can hold. Products of two such numbers are exact in f32.
pub fn half(number: f32) -> f32 {
    f16::from_f32(number).to_f32()
}

/// Reproducible numbers in -1..1 (SplitMix64).
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn number(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// The next `count` numbers.
    pub fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.number()).collect()
    }

    /// A parameter whose numbers f16 can hold exactly, so that f16 weights have the same expected values.
    pub fn param(&mut self, graph: &mut Graph, shape: &[usize]) -> ParamId {
        let values = self.numbers(shape.iter().product()).into_iter().map(half).collect();
        let name = format!("p{}", graph.params.len());
        graph.param(Param::new(name, shape.to_vec(), values))
    }
}

/// A graph under construction, with its inputs. It is meant for hand-written graphs, whose operands are known to fit.
pub struct Net {
    /// The graph so far.
    pub graph: Graph,
    /// The source of all numbers.
    pub random: Random,
    /// Inputs with their values.
    pub inputs: Vec<(NodeId, Vec<f32>)>,
}

impl Net {
    /// An empty graph.
    pub fn new(seed: u64) -> Self {
        Self { graph: Graph::default(), random: Random(seed), inputs: vec![] }
    }

    /// A new input with random features.
    pub fn features(&mut self, shape: Shape) -> NodeId {
        let values = self.random.numbers(shape.iter().product());
        let plain = self.plain(shape, values);
        self.op(Op::Pack, &[plain])
    }

    /// A new input with these numbers.
    pub fn plain(&mut self, shape: Shape, values: Vec<f32>) -> NodeId {
        let plain = self.graph.input(Kind::Plain, shape);
        self.inputs.push((plain, values));
        plain
    }

    /// Appends an operation.
    ///
    /// # Panics
    /// If the operands do not fit.
    pub fn op(&mut self, op: Op, operands: &[NodeId]) -> NodeId {
        self.graph.push(op, operands).expect("operands fit")
    }

    /// A new parameter with random numbers.
    pub fn param(&mut self, shape: &[usize]) -> ParamId {
        self.random.param(&mut self.graph, shape)
    }

    /// A convolution with a bias.
    pub fn conv(&mut self, x: NodeId, out: usize, window: Window, groups: usize) -> NodeId {
        let input = self.graph.shape(x)[1];
        let weight = self.param(&[out, input / groups, window.kernel[0], window.kernel[1]]);
        let bias = Some(self.param(&[out]));
        self.op(Op::Conv2d(Conv2d { weight, bias, out_channels: out, window, groups }), &[x])
    }

    /// A linear layer over the whole feature map.
    pub fn linear(&mut self, x: NodeId, out: usize) -> NodeId {
        let [_, c, h, w] = self.graph.shape(x);
        let weight = self.param(&[out, c * h * w]);
        let bias = Some(self.param(&[out]));
        self.op(Op::Linear(Linear { weight, bias, out_features: out }), &[x])
    }

    /// A batch norm.
    pub fn scale_shift(&mut self, x: NodeId) -> NodeId {
        let channels = [self.graph.shape(x)[1]];
        let (scale, shift) = (self.param(&channels), Some(self.param(&channels)));
        self.op(Op::ScaleShift { scale, shift }, &[x])
    }

    /// A layer norm.
    pub fn layer_norm(&mut self, x: NodeId) -> NodeId {
        let channels = [self.graph.shape(x)[1]];
        let norm = LayerNorm { weight: self.param(&channels), bias: self.param(&channels), eps: 1e-6 };
        self.op(Op::LayerNorm(norm), &[x])
    }

    /// Converts features to numbers that can be read back.
    pub fn unpack(&mut self, x: NodeId) -> NodeId {
        self.op(Op::Unpack, &[x])
    }
}
