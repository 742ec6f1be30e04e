//! The report as one HTML file: no script, nothing fetched, readable on paper.
use askama::Template;
use reflexe_model::{Lang, Qualification, RowRef, Text};

use crate::{Obtains, ReportError, view::Page};

/// The report in one language. `raw` gives the original record of a row, `None` when it is not there any more.
///
/// # Errors
/// When the template cannot be rendered.
pub fn html(
    q: &Qualification,
    sentence: &Text,
    raw: &dyn Fn(&RowRef) -> Option<String>,
    lang: Lang,
    obtains: Obtains,
) -> Result<String, ReportError> {
    Ok(Page::new(q, sentence, raw, lang, obtains).render()?)
}
