//! Reasoning with facts that may be missing.

use source::{Known, Missing};

/// One known match convicts; acquittal needs every answer.
///
/// Gives the first known answer that `hit` accepts. Without one: the first missing fact if any
/// answer was missing, else `None`.
///
/// # Errors
/// The first [`Missing`] when no known answer is a hit.
pub fn find_known<T>(
    answers: impl IntoIterator<Item = Known<T>>,
    hit: impl Fn(&T) -> bool,
) -> Known<Option<T>> {
    let mut missing: Option<Missing> = None;
    for answer in answers {
        match answer {
            Ok(value) if hit(&value) => return Ok(Some(value)),
            Ok(_) => {}
            Err(fact) => {
                missing.get_or_insert(fact);
            }
        }
    }
    missing.map_or(Ok(None), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_convicts_even_beside_a_gap() {
        let gap = || Err(Missing::new("b", "look"));
        assert_eq!(find_known([gap(), Ok(3)], |&n| n == 3), Ok(Some(3)));
        assert_eq!(
            find_known([gap(), Ok(1)], |&n| n == 3),
            Err(Missing::new("b", "look"))
        );
        assert_eq!(find_known([Ok(2), Ok(1)], |&n| n == 3), Ok(None));
    }
}
