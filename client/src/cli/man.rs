//! `narthex man`: the manual, one page for each command.

use super::{Context, Exit, Failure, files};
use clap::{Args, Command};
use clap_mangen::Man as Page;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Write the manual pages, one for each command
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex man ~/.local/share/man/man1
  narthex man | man -l -")]
pub(crate) struct Man {
    /// Folder for narthex.1, narthex-chat.1 and so on [default: the page of `narthex` to standard output]
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
        let mut command = command.disable_help_subcommand(true);
        command.build();
        match &self.folder {
            None => context.output.text(&page(&command)?)?,
            Some(folder) => {
                fs::create_dir_all(folder).map_err(|error| files::unwritable(folder, &error))?;
                write_all(&command, "narthex", folder)?;
            }
        }
        Ok(Exit::Accepted)
    }
}

/// The page of `command` and those of all that stand below it.
fn write_all(command: &Command, name: &str, folder: &Path) -> Result<(), Failure> {
    let text = page(command)?;
    files::write_shared(&folder.join(format!("{name}.1")), text.as_bytes())?;
    for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        let name = format!("{name}-{}", subcommand.get_name());
        write_all(subcommand, &name, folder)?;
    }
    Ok(())
}

fn page(command: &Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    Page::new(command.clone())
        .render(&mut page)
        .map_err(|error| Failure::internal("man.render", &error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{super::Narthex, *};
    use clap::CommandFactory;

    fn count(command: &Command) -> usize {
        1 + command.get_subcommands().map(count).sum::<usize>()
    }

    #[test]
    fn every_command_has_a_page() {
        let mut command = Narthex::command().disable_help_subcommand(true);
        command.build();
        let folder = tempfile::tempdir().unwrap();
        write_all(&command, "narthex", folder.path()).unwrap();
        let pages = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(pages, count(&command));
        assert!(
            folder
                .path()
                .join("narthex-policy-inventory-add.1")
                .exists()
        );
    }
}
