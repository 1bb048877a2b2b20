//! How numbers beyond 8 bits become bytes.

use std::str::FromStr;

use crate::error::Error;

/// Which numbers of a picture become black and white.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Window {
    /// The least and the greatest number of its type; 0 and 1 of fractions.
    #[default]
    Full,
    /// The least and the greatest number in the picture.
    Auto,
    /// These numbers.
    Range(f64, f64),
}

/// As `full`, `auto`, or two numbers with a comma.
impl FromStr for Window {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let range = || {
            let (low, high) = text.split_once(',')?;
            let [low, high] = [low, high].map(|number| number.trim().parse::<f64>().ok().filter(|n| n.is_finite()));
            low.zip(high).filter(|(low, high)| low < high)
        };
        match text {
            "full" => Ok(Self::Full),
            "auto" => Ok(Self::Auto),
            _ => range().map(|(low, high)| Self::Range(low, high)).ok_or_else(|| {
                Error::Request(format!("--window is '{text}'; full, auto, or two numbers MIN,MAX are needed"))
            }),
        }
    }
}

/// The numbers that become black and white, and a remark if only a small part of their range is used. `range` is that of
/// their type.
///
/// # Errors
/// What is wrong with the numbers, and the remedy.
pub fn ends(
    numbers: impl Iterator<Item = f64>,
    range: [f64; 2],
    window: Window,
) -> Result<([f64; 2], Option<String>), String> {
    let finite = numbers.filter(|number| number.is_finite());
    let [least, greatest] =
        finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[least, greatest], n| [least.min(n), greatest.max(n)]);
    if least > greatest {
        return Err("holds no finite number".into());
    }
    let [low, high] = match window {
        Window::Full => range,
        Window::Auto => [least, greatest],
        Window::Range(low, high) => [low, high],
    };
    if window == Window::Full && (least < low || greatest > high) {
        let values = format!("its numbers go from {least} to {greatest}, not from {low} to {high}");
        return Err(format!("{values}; --window auto or --window MIN,MAX says what is black and white"));
    }
    let remark = (window == Window::Full && greatest > least && greatest - least < (high - low) / 8.0).then(|| {
        let used = format!("uses {least} to {greatest} of {low} to {high}, so almost nothing is seen");
        format!("{used}; --window auto or --window {least},{greatest} makes it visible")
    });
    Ok(([low, high], remark))
}

/// A number between these ends, 0 to 1.
pub fn part(number: f64, [low, high]: [f64; 2]) -> f64 {
    if high > low { ((number - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows() {
        let numbers = || [0.0, 1000.0, 4095.0].into_iter();
        let range = [0.0, 65535.0];
        let (full, remark) = ends(numbers(), range, Window::Full).unwrap();
        assert!(full == range && remark.unwrap().contains("0 to 4095 of 0 to 65535"));
        assert_eq!(ends(numbers(), range, Window::Auto).unwrap(), ([0.0, 4095.0], None));
        let (chosen, _) = ends(numbers(), range, "500,1500".parse().unwrap()).unwrap();
        assert_eq!(numbers().map(|number| part(number, chosen)).collect::<Vec<_>>(), [0.0, 0.5, 1.0]);
        assert_eq!(part(7.0, [7.0, 7.0]), 0.0);
        let error = ends([0.5, 310.0].into_iter(), [0.0, 1.0], Window::Full).unwrap_err();
        assert!(error.contains("0.5 to 310, not from 0 to 1; --window auto"), "{error}");
        assert!(ends([f64::NAN].into_iter(), [0.0, 1.0], Window::Auto).is_err());
        for wrong in ["", "1", "2,1", "1,1", "nan,1", "1,inf", "half"] {
            assert!(wrong.parse::<Window>().is_err(), "{wrong}");
        }
    }
}
