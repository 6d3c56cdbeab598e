//! What is found on a page, as many of a kind as anybody reads.

/// Findings of one kind that are told one by one.
pub(crate) const MOST_TOLD: usize = 50;

/// Findings with their lines, and how many more there are.
#[derive(Debug, Default)]
pub(crate) struct BoundedFindings {
    told: Vec<(u32, String)>,
    more: usize,
}

impl BoundedFindings {
    pub(crate) fn add(&mut self, line: u32, what: impl Into<String>) {
        if self.told.len() < MOST_TOLD {
            self.told.push((line, what.into()));
        } else {
            self.more += 1;
        }
    }

    /// The same, put into words only if it is told.
    pub(crate) fn add_with(&mut self, line: u32, what: impl FnOnce() -> String) {
        if self.told.len() < MOST_TOLD {
            self.told.push((line, what()));
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn told(mut self) -> Vec<(u32, String)> {
        if self.more > 0 {
            let line = self.told.last().map_or(1, |last| last.0);
            self.told.push((line, format!("and {} more of this kind", self.more)));
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_counted_and_not_kept() {
        let mut findings = BoundedFindings::default();
        (1..=50).for_each(|line| findings.add(line, "a"));
        assert_eq!(findings.told.len(), 50);
        (51..=200).for_each(|line| findings.add(line, "a"));
        let told = findings.told();
        assert_eq!((told.len(), &*told[50].1), (51, "and 150 more of this kind"));
        assert!(BoundedFindings::default().told().is_empty());
    }
}
