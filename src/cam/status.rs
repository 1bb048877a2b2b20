//! Whether a map is meaningful.

/// The state of a raw map. With any state but [`Status::Ok`], the heat map is blank or meaningless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// Some values are positive: they speak for the class.
    Ok,
    /// No value is positive, and not all are zero. The ReLU leaves nothing.
    AllNegative,
    /// All values are zero.
    Zero,
    /// All values are the same positive number.
    Constant,
    /// Some values, or some of the image's class scores, are infinite or NaN.
    NonFinite,
}

impl Status {
    /// The status of a map from its least and greatest value, and the number of values and class scores that are not
    /// finite.
    pub fn of(least: f32, greatest: f32, non_finite: f32) -> Self {
        match () {
            () if non_finite > 0.0 || !(least.is_finite() && greatest.is_finite()) => Self::NonFinite,
            () if least == 0.0 && greatest == 0.0 => Self::Zero,
            () if greatest <= 0.0 => Self::AllNegative,
            () if least == greatest => Self::Constant,
            () => Self::Ok,
        }
    }

    /// A sentence for the user; none for [`Status::Ok`].
    pub fn remark(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::AllNegative => Some("nothing speaks for it: the map has no positive value"),
            Self::Zero => Some("the map is zero everywhere"),
            Self::Constant => Some("the map is the same everywhere"),
            Self::NonFinite => Some("values are not finite, so the map means nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn statuses() {
        assert_eq!(Status::of(-1.0, 2.0, 0.0), Status::Ok);
        assert_eq!(Status::of(0.0, 2.0, 0.0), Status::Ok);
        assert_eq!(Status::of(-1.0, 0.0, 0.0), Status::AllNegative);
        assert_eq!(Status::of(-1.0, -1.0, 0.0), Status::AllNegative);
        assert_eq!(Status::of(0.0, 0.0, 0.0), Status::Zero);
        assert_eq!(Status::of(2.0, 2.0, 0.0), Status::Constant);
        assert_eq!(Status::of(-1.0, 2.0, 1.0), Status::NonFinite);
        assert_eq!(Status::of(0.0, f32::INFINITY, 0.0), Status::NonFinite);
    }
}
