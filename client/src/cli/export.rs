//! Files that a command that judges writes of its verdict, whatever it is.

use super::{Context, Failure, files, html, inputs, report::Report};
use clap::Args;
use std::path::PathBuf;

/// Which files.
#[derive(Args)]
#[command(next_help_heading = "Files for others")]
pub(crate) struct Export {
    /// Write the verdict with everything that led to it as one HTML page
    #[arg(long, global = true, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Export {
    /// Writes what is asked for; comes before the verdict is told, so that who sees a verdict has the files too.
    pub(crate) fn write(&self, report: &Report, context: &Context<'_>) -> Result<(), Failure> {
        if let Some(path) = &self.html {
            let page = html::page(report, &inputs::so_far(), context);
            files::write_shared(path, page.as_bytes())?;
        }
        Ok(())
    }
}
