//! The report as one HTML file: no script, nothing fetched, readable on paper.
use askama::Template;
use reflexe_model::{Lang, Qualification, Text};

use crate::{Obtains, Originals, ReportError, policy, view::Page};

/// The report in one language. `raw` gives the original record of a row, or why it cannot.
///
/// # Errors
/// When the template cannot be rendered.
pub fn html(q: &Qualification, sentence: &Text, raw: Originals, lang: Lang, obtains: Obtains) -> Result<String, ReportError> {
    Ok(policy::sealed(&Page::new(q, sentence, raw, lang, obtains).render()?))
}
