//! Progress on standard error, only on a terminal, for anything over a second.
use std::{
    io::IsTerminal as _,
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use reflexe_case::{FileResult, Progress};
use reflexe_model::{Lang, Text};

/// A bar that appears after a second.
pub struct Bar {
    bar: ProgressBar,
    started: Instant,
    lang: Lang,
    current: Mutex<u64>,
}

impl Bar {
    /// A bar for one command.
    pub fn new(lang: Lang) -> Self {
        let bar = ProgressBar::hidden();
        Self { bar, started: Instant::now(), lang, current: Mutex::new(0) }
    }

    fn show(&self) {
        if self.bar.is_hidden() && self.started.elapsed() > Duration::from_secs(1) && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            self.bar.enable_steady_tick(Duration::from_millis(100));
        }
    }

    /// A check is begun.
    pub fn check(&self, id: &str) {
        self.show();
        self.bar.set_style(ProgressStyle::default_spinner());
        self.bar.set_message(match self.lang {
            Lang::Fr => format!("contrôle {id}"),
            Lang::En => format!("check {id}"),
        });
    }

    /// Nothing more to show.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn file(&self, shown: &str, size: u64) {
        self.show();
        self.bar.set_length(size);
        self.bar.set_position(0);
        if let Ok(style) = ProgressStyle::with_template("{bytes:>10}/{total_bytes} {binary_bytes_per_sec:>12} {wide_msg}") {
            self.bar.set_style(style);
        }
        self.bar.set_message(reflexe_fiche::say::clean(shown));
        if let Ok(mut current) = self.current.lock() {
            *current = 0;
        }
    }

    fn read(&self, bytes: u64) {
        self.show();
        self.bar.set_position(bytes);
    }

    fn say(&self, what: &Text) {
        self.bar.suspend(|| errln!("{}", what.get(self.lang)));
    }

    fn done(&self, _: &FileResult) {}
}
