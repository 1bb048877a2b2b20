//! What is explained of a class: the function of the class scores whose gradient the methods take.

use crate::graph::{Activation, Arithmetic, Digit, Graph, GraphError, NodeId, Op, Param, Rearrange, Side};

/// The number that is explained.
///
/// ```
/// use gradcam::{Score, Target};
///
/// // What speaks against a class, and what tells it from class 7.
/// let (counterfactual, contrast) = (Target::default().negative(true), Target::default().against(&[7]));
/// # assert_eq!((counterfactual.score, contrast.score), (Score::Logit, Score::Logit));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Target {
    /// Of which number of a class the gradient is taken.
    pub score: Score,
    /// Explains what speaks against the class: the paper's counterfactual. The gradient's sign is changed.
    pub negative: bool,
    /// Explains the difference to the mean of these classes.
    pub against: Vec<usize>,
}

/// A number that a network gives for a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Score {
    /// The score before softmax or sigmoid.
    #[default]
    Logit,
    /// The probability.
    Probability,
    /// The probability's logarithm.
    LogProbability,
}

impl Target {
    /// Sets the number.
    #[must_use]
    pub fn score(self, score: Score) -> Self {
        Self { score, ..self }
    }

    /// Sets whether what speaks against the class is explained.
    #[must_use]
    pub fn negative(self, negative: bool) -> Self {
        Self { negative, ..self }
    }

    /// Sets the classes of the contrast.
    #[must_use]
    pub fn against(self, against: &[usize]) -> Self {
        Self { against: against.to_vec(), ..self }
    }
}

/// Where the backward pass begins: a node that the scores are computed from, and the target's derivative there.
pub struct Begin {
    /// The node: the logits, or the probabilities.
    pub node: NodeId,
    /// The derivative, `[maps,classes,1,1]`.
    pub seed: NodeId,
}

/// Appends the target's derivative. `seed` is 1 at the class of each map, and `is_sigmoid` says what makes a probability of a
/// logit.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit.
pub fn begin(
    graph: &mut Graph,
    target: &Target,
    logits: NodeId,
    seed: NodeId,
    is_sigmoid: bool,
) -> Result<Begin, GraphError> {
    let classes = graph.shape(logits)[1];
    let mut seed = seed;
    if !target.against.is_empty() {
        let mut shares = vec![0.0; classes];
        target.against.iter().for_each(|class| shares[*class] -= 1.0 / target.against.len() as f32);
        let values =
            graph.param(Param::new(format!("contrast with {:?}", target.against), vec![classes], shares.into()));
        let others = graph.push(Op::Constant { values, shape: [classes, 1, 1] }, &[])?;
        seed = graph.push(Op::Broadcast(Arithmetic::Add), &[seed, others])?;
    }
    let node = number(graph, target.score, logits, is_sigmoid)?;
    if target.score == Score::LogProbability && (is_sigmoid || target.against.is_empty()) {
        let p = number(graph, Score::Probability, logits, is_sigmoid)?;
        seed = if is_sigmoid {
            // d ln σ(y) / dy = 1 − σ(y)
            let others = graph.scaled(p, -1.0, 1.0)?;
            graph.push(Op::Broadcast(Arithmetic::Multiply), &[seed, others])?
        } else {
            // d ln p_c / dy = one-hot − p. A contrast of two logarithms is that of the logits.
            let less = graph.scaled(p, -1.0, 0.0)?;
            graph.push(Op::Broadcast(Arithmetic::Add), &[seed, less])?
        };
    }
    if target.negative {
        seed = graph.scaled(seed, -1.0, 0.0)?;
    }
    Ok(Begin { node, seed })
}

/// The numbers of all classes from which a target's backward pass begins: the logits, or the probabilities.
///
/// # Errors
/// [`GraphError::Shape`] if there are too many classes.
pub fn number(graph: &mut Graph, score: Score, logits: NodeId, is_sigmoid: bool) -> Result<NodeId, GraphError> {
    match score {
        Score::Probability if is_sigmoid => graph.push(Op::Activate(Activation::Sigmoid), &[logits]),
        Score::Probability => softmax(graph, logits),
        Score::Logit | Score::LogProbability => Ok(logits),
    }
}

/// The softmax over channels. The operation's own is over pixels.
///
/// # Errors
/// [`GraphError::Shape`] if there are too many channels.
pub fn softmax(graph: &mut Graph, x: NodeId) -> Result<NodeId, GraphError> {
    let c = graph.shape(x)[1];
    let moves = |from: usize, to: usize| {
        let side = |axis: usize| Side::whole(if axis == 0 { [c, 1, 1] } else { [1, 1, c] });
        let digits = vec![Digit { extent: c, from: Some((from, 1)), to: Some((to, 1)) }];
        Rearrange { from: side(from), to: side(to), digits: if c > 1 { digits } else { vec![] } }
    };
    let across = graph.rearrange(&moves(0, 2), x)?;
    let p = graph.push(Op::Softmax, &[across])?;
    graph.rearrange(&moves(2, 0), p)
}
