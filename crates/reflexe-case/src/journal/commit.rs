//! Adds one entry within a transaction: position, previous entry and what the writer had seen are read under its lock, so that
//! two processes never write the same position.
use jiff::Timestamp;
use reflexe_model::{Entry, Header, Kind};
use rusqlite::{OptionalExtension as _, Transaction};

use super::{
    chain,
    device::{Device, random},
    draft::{Draft, TITLE},
    known::{self, Heads},
    words,
};
use crate::error::Error;

/// Adds an entry. The first of a device in a case is preceded by one that names the device; a clock that went back, by one
/// that says so.
pub(crate) fn append(
    tx: &Transaction<'_>,
    case_id: &str,
    device: &Device,
    draft: &Draft,
    supersedes: Option<&str>,
    now: Timestamp,
) -> Result<Entry, Error> {
    if draft.content.title.trim().is_empty() {
        return Err(Error::NoTitle);
    }
    if draft.content.title.chars().count() > TITLE {
        return Err(Error::LongTitle { most: TITLE });
    }
    match last(tx, &device.writer())? {
        None => {
            add(tx, case_id, device, &words::device(&device.label(), now), None, now)?;
        }
        Some((_, _, recorded)) => {
            if let Ok(before) = recorded.parse::<Timestamp>()
                && now.as_millisecond() + 1000 < before.as_millisecond()
            {
                add(tx, case_id, device, &words::clock_back(before, now), None, now)?;
            }
        }
    }
    add(tx, case_id, device, draft, supersedes, now)
}

fn add(
    tx: &Transaction<'_>,
    case_id: &str,
    device: &Device,
    draft: &Draft,
    supersedes: Option<&str>,
    now: Timestamp,
) -> Result<Entry, Error> {
    let writer = device.writer();
    let salt: [u8; 32] = random()?;
    let entry_id = entry_id(now)?;
    let wrong = |source: serde_json::Error| Error::Entry { id: entry_id.clone(), what: source.to_string() };
    // What this device knew of the chains counts, also where the case does not hold it any more: no position is given twice, and
    // whoever reads the journal sees that entries are missing.
    let known = device.known(case_id);
    let here = last(tx, &writer)?.map(|(seq, hash, _)| (seq, hash));
    let there = known.get(&writer).map(|head| (head.seq, head.hash.clone()));
    let before = if there.as_ref().map(|t| t.0) > here.as_ref().map(|h| h.0) { there } else { here };
    let (seq, prev) = before.map_or((1, None), |(seq, hash)| (seq + 1, Some(hash)));
    let header = Header {
        entry_id: entry_id.clone(),
        case_id: case_id.to_owned(),
        seq,
        seen: seen(tx, &writer, known)?,
        writer,
        prev,
        kind: draft.kind,
        recorded_at: format!("{now:.3}"),
        supersedes: supersedes.map(str::to_owned),
        about: draft.about.clone(),
        body_hash: chain::body_hash(&salt, &draft.content).map_err(wrong)?,
        attachments: draft.attachments.clone(),
    };
    let hash = chain::entry_hash(&header).map_err(wrong)?;
    let signature = chain::sign(device.key(), &hash)
        .ok_or_else(|| Error::Entry { id: entry_id.clone(), what: "a hash that is no hexadecimal".into() })?;
    let entry = Entry { header, hash, signature, salt: Some(chain::hex(&salt)), content: Some(draft.content.clone()) };
    insert(tx, &entry)?;
    Ok(entry)
}

/// Writes an entry as it is; one that is there already stays.
pub(crate) fn insert(tx: &Transaction<'_>, entry: &Entry) -> Result<(), Error> {
    let wrong = |source: serde_json::Error| Error::Entry { id: entry.header.entry_id.clone(), what: source.to_string() };
    let header = chain::canonical(&entry.header).map_err(wrong)?;
    let content = entry.content.as_ref().map(serde_json::to_string).transpose().map_err(wrong)?;
    let h = &entry.header;
    tx.prepare_cached(
        "INSERT OR IGNORE INTO entry (hash, writer, seq, entry_id, kind, recorded_at, header, signature, salt, content)
         VALUES (?,?,?,?,?,?,?,?,?,?)",
    )
    .and_then(|mut put| {
        put.execute((
            &entry.hash,
            &h.writer,
            h.seq,
            &h.entry_id,
            kind(h.kind),
            &h.recorded_at,
            header,
            &entry.signature,
            &entry.salt,
            content,
        ))
    })
    .map_err(Error::in_journal)?;
    Ok(())
}

/// Position, hash and time of the last entry of a chain. Of a fork's two ends the lesser hash is taken, on every device alike.
fn last(tx: &Transaction<'_>, writer: &str) -> Result<Option<(u64, String, String)>, Error> {
    let sql = "SELECT seq, hash, recorded_at FROM entry WHERE writer = ? ORDER BY seq DESC, hash LIMIT 1";
    tx.query_row(sql, [writer], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional().map_err(Error::in_journal)
}

/// Where every other chain stands, here or as the device knew it.
fn seen(tx: &Transaction<'_>, writer: &str, known: Heads) -> Result<Heads, Error> {
    let mut heads = known::heads_of(tx).map_err(Error::in_journal)?;
    for (other, head) in known {
        if heads.get(&other).is_none_or(|here| here.seq < head.seq) {
            heads.insert(other, head);
        }
    }
    heads.remove(writer);
    Ok(heads)
}

/// A version 7 UUID: the moment, then random bits.
fn entry_id(now: Timestamp) -> Result<String, Error> {
    let random = u128::from_be_bytes(random::<16>()?);
    let millis = u128::try_from(now.as_millisecond()).unwrap_or(0) & ((1 << 48) - 1);
    let bits = millis << 80 | (random & ((1 << 80) - 1)) & !(0xf << 76) & !(0x3 << 62) | (0x7 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// The name of a kind, as JSON writes it.
pub(crate) fn kind(kind: Kind) -> String {
    // A kind without data is a text in JSON.
    serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_ids_are_version_7_uuids_in_order_of_time() {
        let id = entry_id("2026-11-22T13:32:00Z".parse().unwrap()).unwrap();
        assert_eq!((id.len(), &id[14..15]), (36, "7"));
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        assert!(id < entry_id("2026-11-22T13:32:01Z".parse().unwrap()).unwrap());
        assert_eq!(kind(Kind::Communication), "communication");
    }
}
