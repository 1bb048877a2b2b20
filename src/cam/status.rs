//! Whether a map says anything.

/// What a raw map looks like; anything but [`Status::Ok`] means that the heat map is blank or meaningless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// Some of it speaks for the class.
    Ok,
    /// Everything speaks against the class, and the ReLU leaves nothing.
    AllNegative,
    /// Zero everywhere.
    Zero,
    /// The same positive value everywhere.
    Constant,
    /// Some values, or some of the image's class scores, are infinite or not numbers.
    NonFinite,
}

impl Status {
    /// The status of a map with this least and greatest value, and number of values and class scores that are not finite.
    pub fn of(least: f32, greatest: f32, non_finite: f32) -> Self {
        match () {
            () if non_finite > 0.0 || !(least.is_finite() && greatest.is_finite()) => Self::NonFinite,
            () if least == 0.0 && greatest == 0.0 => Self::Zero,
            () if greatest <= 0.0 => Self::AllNegative,
            () if least == greatest => Self::Constant,
            () => Self::Ok,
        }
    }

    /// A sentence for people; nothing to say about [`Status::Ok`].
    pub fn remark(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::AllNegative => Some("all of the layer speaks against this class, so the map is blank"),
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
