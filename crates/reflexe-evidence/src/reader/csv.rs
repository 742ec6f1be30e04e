//! A stream of CSV rows as PowerShell, the portals and Excel write them: quoted fields hold line breaks and doubled quotes.
//! A row whose quotes or number of fields do not fit is rejected and reading goes on at the next line that fits.
use std::io;

use memchr::{memchr, memchr_iter, memchr2};

use super::{
    Bad, Item, MAX_RECORD,
    keys::{Key, Slots},
    window::Window,
};

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Between two fields.
    pub delimiter: u8,
    /// Number of columns.
    pub columns: usize,
    /// Wanted columns, with the key under which the event readers look for them.
    pub wanted: Vec<(usize, Key)>,
}

/// A field: its range between its quotes, and whether it holds doubled quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// Whether quotes in it are doubled.
    pub doubled: bool,
}

/// What became of an attempt to read a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// It ends (with its line break) at this index.
    Ends(usize),
    /// The bytes end inside it.
    Incomplete,
    /// A quote stands where it cannot.
    Broken,
}

/// Splits the row that starts at `at`.
pub fn split(b: &[u8], at: usize, delimiter: u8, end_of_file: bool, fields: &mut Vec<Field>) -> Row {
    fields.clear();
    let mut i = at;
    loop {
        let end = if b.get(i) == Some(&b'"') {
            let start = i + 1;
            let mut doubled = false;
            let mut q = start;
            loop {
                let Some(n) = b.get(q..).and_then(|rest| memchr(b'"', rest)) else { return Row::Incomplete };
                q += n;
                match b.get(q + 1) {
                    Some(b'"') => {
                        doubled = true;
                        q += 2;
                    }
                    None if !end_of_file => return Row::Incomplete,
                    _ => break,
                }
            }
            fields.push(Field { start, end: q, doubled });
            q + 1
        } else {
            let rest = b.get(i..).unwrap_or_default();
            let Some(n) = memchr2(delimiter, b'\n', rest).or(end_of_file.then_some(rest.len())) else { return Row::Incomplete };
            let cut = usize::from(n > 0 && rest.get(n) != Some(&delimiter) && rest[n - 1] == b'\r');
            fields.push(Field { start: i, end: i + n - cut, doubled: false });
            i + n
        };
        match (b.get(end), b.get(end + 1)) {
            (Some(d), _) if *d == delimiter => i = end + 1,
            (Some(b'\n'), _) => return Row::Ends(end + 1),
            (Some(b'\r'), Some(b'\n')) => return Row::Ends(end + 2),
            (Some(b'\r'), None) if !end_of_file => return Row::Incomplete,
            (Some(b'\r'), None) => return Row::Ends(end + 1),
            (None, _) if end_of_file => return Row::Ends(end),
            (None, _) => return Row::Incomplete,
            _ => return Row::Broken,
        }
    }
}

/// Whether a field holds nothing but blanks.
fn nothing(bytes: &[u8], field: Field) -> bool {
    bytes[field.start..field.end].iter().all(|b| matches!(b, b' ' | b'\t'))
}

/// Appends a field's text to `out`, quotes no longer doubled.
pub fn unquote(bytes: &[u8], field: Field, out: &mut Vec<u8>) {
    let mut rest = &bytes[field.start..field.end];
    if field.doubled {
        while let Some(n) = memchr(b'"', rest) {
            out.extend_from_slice(&rest[..=n]);
            rest = rest.get(n + 2..).unwrap_or_default();
        }
    }
    out.extend_from_slice(rest);
}

/// Puts the wanted cells of a row one after another in `text`, found by `slots`.
fn fill(bytes: &[u8], fields: &[Field], dialect: &Dialect, slots: &mut Slots, text: &mut Vec<u8>) {
    slots.clear();
    text.clear();
    for (column, key) in &dialect.wanted {
        let start = text.len();
        unquote(bytes, fields[*column], text);
        slots.set(*key, start, text.len());
    }
}

/// As [`fill`], for one row given as text; `false` if it is none.
pub fn cells(row: &str, dialect: &Dialect, slots: &mut Slots, text: &mut Vec<u8>) -> bool {
    let mut fields = Vec::new();
    let whole =
        matches!(split(row.as_bytes(), 0, dialect.delimiter, true, &mut fields), Row::Ends(_)) && fields.len() == dialect.columns;
    if whole {
        fill(row.as_bytes(), &fields, dialect, slots, text);
    }
    whole
}

/// Rows of a CSV file, from an offset on.
#[derive(Debug)]
pub struct CsvRecords<'d> {
    window: Window,
    dialect: &'d Dialect,
    at: usize,
    line: u64,
    counted: usize,
    fields: Vec<Field>,
}

impl<'d> CsvRecords<'d> {
    /// Rows from `offset` on, where a row must start.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn new(mut window: Window, dialect: &'d Dialect, offset: u64) -> io::Result<Self> {
        window.seek(offset)?;
        Ok(Self { window, dialect, at: 0, line: 0, counted: 0, fields: Vec::new() })
    }

    /// Offset of the next byte to be read.
    pub fn position(&self) -> u64 {
        self.window.start() + self.at as u64
    }

    /// Newlines before [`Self::position`] since the stream was positioned.
    pub fn lines(&mut self) -> u64 {
        self.count_lines(self.at);
        self.line
    }

    /// Gives the window back.
    pub fn into_window(self) -> Window {
        self.window
    }

    /// Moves to the first line that holds a whole row: for a stream positioned at random.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn align(&mut self, from: u64) -> io::Result<()> {
        loop {
            self.resync(Bad::Csv)?;
            self.blank()?;
            if self.position() >= from || (self.window.at_end() && self.at >= self.window.bytes().len()) {
                return Ok(());
            }
        }
    }

    /// Moves to the next row, and says where that is.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn settle(&mut self) -> io::Result<u64> {
        self.blank()?;
        Ok(self.position())
    }

    /// Skips empty lines, which are no rows; `false` at the end of the file.
    fn blank(&mut self) -> io::Result<bool> {
        loop {
            while let Some(b'\r' | b'\n') = self.window.bytes().get(self.at) {
                self.at += 1;
            }
            if self.at < self.window.bytes().len() {
                return Ok(true);
            }
            if !self.more()? {
                return Ok(false);
            }
        }
    }

    /// The file's bytes of an item, until the next call of [`Self::next`].
    pub fn bytes(&self, item: &Item) -> &[u8] {
        let start = (item.offset - self.window.start()) as usize;
        let end = (start + item.length as usize).min(self.window.bytes().len());
        self.window.bytes().get(start..end).unwrap_or_default()
    }

    /// The next row that starts before `bound`: its wanted cells one after another in `text`, found by `slots`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self, bound: u64, slots: &mut Slots, text: &mut Vec<u8>) -> io::Result<Option<Item>> {
        if !self.blank()? || self.position() >= bound {
            return Ok(None);
        }
        loop {
            let held = self.window.bytes();
            match split(held, self.at, self.dialect.delimiter, self.window.at_end(), &mut self.fields) {
                // delimiters and nothing between them: a spreadsheet's empty line is no row
                Row::Ends(end) if self.dialect.columns > 1 && self.fields.iter().all(|f| nothing(held, *f)) => {
                    self.at = end;
                    if !self.blank()? || self.position() >= bound {
                        return Ok(None);
                    }
                }
                Row::Ends(end) if self.fields.len() == self.dialect.columns => {
                    fill(held, &self.fields, self.dialect, slots, text);
                    let length = end - self.at;
                    return Ok(Some(self.item(length)));
                }
                Row::Ends(_) | Row::Broken => return self.resync(Bad::Csv).map(Some),
                Row::Incomplete if held.len() - self.at >= MAX_RECORD => return self.resync(Bad::TooLong).map(Some),
                Row::Incomplete => {
                    if !self.more()? {
                        return self.resync(if self.window.at_end() { Bad::Truncated } else { Bad::TooLong }).map(Some);
                    }
                }
            }
        }
    }

    fn item(&mut self, length: usize) -> Item {
        self.count_lines(self.at);
        let trimmed = self.window.bytes()[self.at..self.at + length].trim_ascii_end().len();
        let item = Item {
            offset: self.position(),
            length: trimmed as u64,
            line: self.line,
            bad: (length > MAX_RECORD).then_some(Bad::TooLong),
        };
        self.at += length;
        item
    }

    fn more(&mut self) -> io::Result<bool> {
        self.count_lines(self.at);
        let done = self.at;
        self.at = 0;
        self.counted = 0;
        self.window.more(done)
    }

    fn count_lines(&mut self, to: usize) {
        if to > self.counted {
            self.line += memchr_iter(b'\n', &self.window.bytes()[self.counted..to]).count() as u64;
            self.counted = to;
        }
    }

    /// Rejects from here to the next line that holds a whole row.
    fn resync(&mut self, bad: Bad) -> io::Result<Item> {
        self.count_lines(self.at);
        let (offset, line) = (self.position(), self.line);
        let mut tried = 0_usize;
        loop {
            let held = self.window.bytes();
            let Some(n) = memchr(b'\n', &held[self.at..]) else {
                self.at = held.len();
                if self.window.at_end() || !self.more()? {
                    break;
                }
                continue;
            };
            self.at += n + 1;
            if self.at >= held.len() && !self.window.at_end() {
                self.more()?;
            }
            match self.try_row() {
                Some(true) => break,
                Some(false) => {}
                // the row reaches beyond what is held: read on, but not for ever
                None if tried < 4 && self.window.bytes().len() - self.at < (1 << 20) => {
                    tried += 1;
                    self.more()?;
                    if self.try_row() == Some(true) {
                        break;
                    }
                }
                None => {}
            }
        }
        let length = self.position() - offset;
        Ok(Item { offset, length, line, bad: Some(bad) })
    }

    /// Whether a whole row with the right number of fields starts here; `None` if the bytes held do not tell.
    fn try_row(&mut self) -> Option<bool> {
        let held = self.window.bytes();
        if self.at >= held.len() {
            return self.window.at_end().then_some(true);
        }
        match split(held, self.at, self.dialect.delimiter, self.window.at_end(), &mut self.fields) {
            Row::Ends(_) => Some(self.fields.len() == self.dialect.columns),
            Row::Broken => Some(false),
            Row::Incomplete if self.window.at_end() => Some(false),
            Row::Incomplete => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> (Row, Vec<String>) {
        let mut found = Vec::new();
        let row = split(text.as_bytes(), 0, b',', true, &mut found);
        let texts = found
            .iter()
            .map(|f| {
                let mut out = Vec::new();
                unquote(text.as_bytes(), *f, &mut out);
                String::from_utf8(out).unwrap()
            })
            .collect();
        (row, texts)
    }

    #[test]
    fn splits_rows() {
        assert_eq!(fields("a,b\r\n"), (Row::Ends(5), vec!["a".into(), "b".into()]));
        assert_eq!(fields("\"a,\r\nb\",\"x\"\"y\"\n"), (Row::Ends(15), vec!["a,\r\nb".into(), "x\"y".into()]));
        assert_eq!(fields(",\"\",").1, ["", "", ""]);
        assert_eq!(fields("\"\"\"\"").1, ["\""]);
        assert_eq!(fields("\"a\"b,c").0, Row::Broken);
        assert_eq!(fields("\"a").0, Row::Incomplete);
    }
}
