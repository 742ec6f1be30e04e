//! `reflexe tables`, `checks`, `items` and `sources`: what there is, told from the data that the program itself reads.
use anyhow::{Context as _, Result};
use reflexe_evidence::spec;
use reflexe_fiche::Catalogue;
use reflexe_model::Lang;
use serde_json::{Value, json};

/// The tables, or the columns of one.
///
/// # Errors
/// When there is no such table.
pub fn tables(name: Option<&str>, lang: Lang, as_json: bool) -> Result<()> {
    let Some(name) = name else {
        if as_json {
            let told = spec::tables().iter().map(|t| json!({ "name": t.name, "title": t.title }));
            return crate::out::json(&told.collect::<Vec<Value>>());
        }
        spec::tables().iter().for_each(|t| outln!("{:28} {}", t.name, t.title.get(lang)));
        return Ok(());
    };
    let table = spec::table(name).with_context(|| format!("{name}: reflexe tables"))?;
    let ty = |ty: spec::ColumnType| format!("{ty:?}").to_lowercase();
    if as_json {
        let place = spec::PROVENANCE.iter().map(|(column, of)| json!({ "name": column, "type": ty(*of) }));
        let own = table.columns.iter().map(|c| json!({ "name": c.name, "type": ty(c.ty), "about": c.about }));
        let columns: Vec<Value> = place.chain(own).collect();
        return crate::out::json(&json!({ "name": table.name, "title": table.title, "columns": columns }));
    }
    outln!("{} — {}", table.name, table.title.get(lang));
    for (column, of) in spec::PROVENANCE {
        outln!("  {column:36} {}", ty(of));
    }
    for column in &table.columns {
        outln!("  {:36} {:5} {}", column.name, ty(column.ty), column.about.get(lang));
    }
    Ok(())
}

/// The checks, with the items that each answers.
///
/// # Errors
/// When the sheet cannot be read.
pub fn checks(lang: Lang, as_json: bool) -> Result<()> {
    let catalogue = Catalogue::load()?;
    let defs = catalogue.checks.iter().map(|c| &c.def);
    if as_json {
        let told = defs.map(|d| json!({ "id": d.id, "items": d.items, "question": d.question }));
        return crate::out::json(&told.collect::<Vec<Value>>());
    }
    defs.for_each(|d| outln!("{:34} {:12} {}", d.id, d.items.join(","), d.question.get(lang)));
    Ok(())
}

/// The items of the sheet, with the checks that answer each.
///
/// # Errors
/// When the sheet cannot be read.
pub fn items(lang: Lang, as_json: bool) -> Result<()> {
    let catalogue = Catalogue::load()?;
    let checks = |id: &String| -> Vec<&str> {
        catalogue.checks.iter().filter(|c| c.def.items.contains(id)).map(|c| c.def.id.as_str()).collect()
    };
    if as_json {
        let told = catalogue.items.iter().map(|i| json!({ "id": i.id, "title": i.title, "checks": checks(&i.id) }));
        return crate::out::json(&told.collect::<Vec<Value>>());
    }
    catalogue.items.iter().for_each(|i| outln!("{:7} {}  [{}]", i.id, i.title.get(lang), checks(&i.id).join(", ")));
    Ok(())
}

/// What can be imported.
///
/// # Errors
/// When it cannot be told as JSON.
pub fn sources(lang: Lang, as_json: bool) -> Result<()> {
    let sources = reflexe_evidence::catalogue::sources();
    if as_json {
        return crate::out::json(&sources.iter().map(|s| json!({ "id": s.id, "title": s.title })).collect::<Vec<Value>>());
    }
    sources.iter().for_each(|s| outln!("{:32} {}", s.id, s.title.get(lang)));
    Ok(())
}
