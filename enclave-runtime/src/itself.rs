//! What this runtime is, in the words of orders and inventories: its name, its model, its guest's measurement, its hardware.
//!
//! Read from its own evidence, unverified: the host could have it look itself up under another machine's name, and whoever admits this node
//! verifies what it is. A runtime that looks wrongly obeys too little or too much; it proves nothing.

use attestation::{Digest, NamedMachine, UnixTime, named_machine::NamedCpu};
use policy::{HardwareId, InForce, Inventory, Placement, Stopped, Target};

/// One runtime, by everything that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Itself {
    node: String,
    model: Digest,
    measurement: [u8; 48],
    cpu: Option<HardwareId>,
    devices: Vec<HardwareId>,
}

impl Itself {
    /// The node of this name, which serves `model` on `machine`.
    pub(crate) fn new(node: &str, model: Digest, machine: &NamedMachine) -> Self {
        let devices = machine.devices.iter();
        Self {
            node: node.to_owned(),
            model,
            measurement: machine.measurement,
            cpu: machine.cpu.map(hardware_id),
            devices: devices.map(|pdi| HardwareId::NvidiaDevice(pdi.0)).collect(),
        }
    }

    /// The order that stops this runtime, if one does.
    pub(crate) fn stopped<'a>(&self, in_force: &'a InForce) -> Option<&'a Stopped> {
        let orders = in_force.orders();
        let mut targets = self.targets(in_force.inventory());
        let named = targets.find_map(|target| orders.stopped(&target));
        named.or_else(|| orders.of_unknown_place().filter(|_| self.cpu.is_none()))
    }

    /// Where the inventory places the CPU at `now`; `None` where the CPU is masked, not listed, or listed for another time.
    pub(crate) fn placement<'a>(
        &self,
        inventory: &'a Inventory,
        now: UnixTime,
    ) -> Option<&'a Placement> {
        inventory.placed(self.cpu.as_ref()?, now)
    }

    /// All that an order might name to stop this runtime. An entry counts here even when it is of another time: what stood at a stopped site
    /// is not cleared by moving a date, nor by waiting.
    fn targets<'a>(
        &'a self,
        inventory: Option<&'a Inventory>,
    ) -> impl Iterator<Item = Target> + 'a {
        let own = [
            Target::Everything,
            Target::Node(self.node.clone()),
            Target::Model(self.model),
            Target::Measurement(self.measurement),
        ];
        let hardware = self.hardware().map(Target::Hardware);
        let listed = move |id| inventory.and_then(|inventory| inventory.find(&id));
        let sites = self.hardware().filter_map(listed);
        let sites = sites.map(|placement| Target::Site(placement.site.clone()));
        own.into_iter().chain(hardware).chain(sites)
    }

    /// What it is made of, the CPU first.
    pub(crate) fn hardware(&self) -> impl Iterator<Item = HardwareId> {
        self.cpu.iter().chain(&self.devices).copied()
    }
}

const fn hardware_id(cpu: NamedCpu) -> HardwareId {
    match cpu {
        NamedCpu::Chip(id) => HardwareId::SnpChip(id),
        NamedCpu::Package(id) => HardwareId::TdxPackage(id),
    }
}
