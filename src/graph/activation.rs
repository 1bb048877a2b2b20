//! Functions of single numbers.

/// Element-wise activation functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `max(x, 0)`, with derivative 0 at 0.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x · sigmoid(x)`.
    Silu,
    /// `relu6(x + 3) / 6`.
    HardSigmoid,
    /// `x · hard_sigmoid(x)`.
    HardSwish,
    /// `x · Φ(x)`, where Φ is the distribution function of the normal distribution (the exact form).
    Gelu,
    /// `tanh(x)`.
    Tanh,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x` above 0, `exp(x) - 1` below.
    Elu,
    /// `x · tanh(softplus(x))`.
    Mish,
    /// `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, GELU's older approximation.
    GeluTanh,
    /// The error function.
    Erf,
    /// `|x|`, with derivative 0 at 0.
    Abs,
    /// `exp(x)`.
    Exp,
    /// The natural logarithm.
    Log,
    /// `√x`.
    Sqrt,
    /// `1 / x`.
    Reciprocal,
}

impl Activation {
    /// All activations, for tests and tables.
    pub const ALL: [Self; 18] = [
        Self::Relu,
        Self::Relu6,
        Self::Sigmoid,
        Self::Silu,
        Self::HardSigmoid,
        Self::HardSwish,
        Self::Gelu,
        Self::Tanh,
        Self::Softplus,
        Self::Elu,
        Self::Mish,
        Self::GeluTanh,
        Self::Erf,
        Self::Abs,
        Self::Exp,
        Self::Log,
        Self::Sqrt,
        Self::Reciprocal,
    ];

    /// Whether the function is monotonic: the greatest `x` then gives the greatest value.
    pub fn grows(self) -> bool {
        matches!(self, Self::Relu | Self::Relu6 | Self::Sigmoid | Self::HardSigmoid)
    }

    /// Whether the derivative is computed from the function's output (`true`) or from its input. If from the output,
    /// the input's memory is free as soon as the function has run.
    pub fn saves_output(self) -> bool {
        use Activation::{Elu, Exp, HardSigmoid, Reciprocal, Relu, Relu6, Sigmoid, Sqrt, Tanh};
        matches!(self, Relu | Relu6 | Sigmoid | HardSigmoid | Tanh | Elu | Exp | Sqrt | Reciprocal)
    }

    /// Whether the function and its derivative are finite wherever its argument is. Others must not meet the unused
    /// lanes of a block.
    pub fn is_tame(self) -> bool {
        !matches!(self, Self::Exp | Self::Log | Self::Sqrt | Self::Reciprocal)
    }
}
