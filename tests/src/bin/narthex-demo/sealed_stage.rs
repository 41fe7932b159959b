//! The same with a sealed model: its owner encrypts it, and only a node that the policy admits is given its key.

use crate::{refusals, show};
use attestation::crypto::sha256;
use std::{error::Error, fs, path::Path};
use tee_sim::PolicyText;
use tests::{
    child::Process,
    fleet::Tees,
    sealed::{self, Owner},
    stack::{self, Directory, Inspection, Programs, Stack},
};

/// For a line of a log that is on its way.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

struct Stage<'a> {
    programs: &'a Programs,
    model: &'a Path,
    owner: Owner,
}

pub(crate) async fn show(programs: &Programs, model: &Path) -> Result<(), Box<dyn Error>> {
    show::step(
        "The same with a sealed model: its owner encrypts it, and leaves the key with a releaser that obeys the policy",
    );
    let safe = Directory::create()?;
    let owner = Owner::seal(programs, safe.root().to_owned(), model)?;
    let stage = Stage {
        programs,
        model,
        owner,
    };
    show::line("sealed    every byte of it; only the names and lengths of its files can be read");
    stage.serve().await?;
    stage.refuse()
}

impl Stage<'_> {
    /// A node that the policy admits gets the key, opens the model and answers.
    async fn serve(&self) -> Result<(), Box<dyn Error>> {
        let (directory, releaser) = self.releaser(&stack::policy(self.model)?)?;
        directory.write_access()?;
        let programs = self.programs.clone();
        let how = (Inspection::Refused, Tees::Snp);
        let stack = Stack::start(programs, directory, self.model, how.0, how.1).await?;
        show::line(&told(&releaser, "key.released")?);
        let mut chat = stack.client();
        chat.arg("chat")
            .args(stack.connection("policy.json", "state-client"));
        chat.args(["--max-tokens", "24", "--temperature", "0"]);
        crate::up::run(chat.args(["--", "Name three primary colours."]))
    }

    /// One whose launch measurement the policy does not have gets none, and never serves.
    fn refuse(&self) -> Result<(), Box<dyn Error>> {
        let mut text = stack::policy(self.model)?;
        text.measurement = refusals::OTHER_MEASUREMENT;
        let (directory, releaser) = self.releaser(&text)?;
        let how = (Inspection::Refused, Tees::Snp);
        let started = stack::start_runtimes(self.programs, &directory, self.model, how);
        match started {
            Ok(_) => Err("a node got the key whose measurement the policy does not have".into()),
            Err(ended) if ended.to_string().contains("model_key.refused") => {
                show::line(
                    "refused   the key for a node with another measurement: it never serves",
                );
                show::line(&told(&releaser, "policy.snp.measurement")?);
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }

    /// A releaser with the key under a policy of this `text`, which the runtimes of the directory are to ask.
    fn releaser(&self, text: &PolicyText) -> Result<(Directory, Process), Box<dyn Error>> {
        let directory = Directory::create()?;
        stack::publish_policy_text(&directory, self.programs, text)?;
        sealed::prepare_releaser(&directory)?;
        let digest = sha256(&fs::read(self.model)?);
        self.owner.leave_key(&directory, &digest)?;
        let releaser = sealed::start_releaser(self.programs, &directory)?;
        let model = (&*self.owner.sealed(), &*self.owner.public_key());
        sealed::have_runtimes_ask(&directory, model, &releaser.ready)?;
        Ok((directory, releaser))
    }
}

/// The first line of the releaser's log with this in it, without its time.
fn told(releaser: &Process, text: &str) -> Result<String, Box<dyn Error>> {
    if !releaser.tells(text, PATIENCE) {
        return Err(format!("the releaser does not tell of {text}").into());
    }
    let log = String::from_utf8_lossy(&releaser.output()).into_owned();
    let line = log.lines().find(|line| line.contains(text));
    let line = line.and_then(|line| line.split_once("event="));
    let words = line.map_or("", |(_, words)| words);
    Ok(format!("releaser  {words}"))
}
