//! TCB levels: which one platform, TDX module and quoting enclave meet, and what they lack (Intel's API v4, "TCB status").

use super::{
    TcbStatus, TdReport, TdxError,
    claims::{ComponentSvn, PlatformClaims, TcbClaims, TcbComponent},
    module::{ModuleIdentity, SvnLevel},
    qe_identity::QeIdentity,
    qe_report::QeReport,
    tcb_info::{Component, TcbInfo, TcbLevel},
};
use crate::UnixTime;

/// Everything that a status is about.
pub(super) struct Appraisal<'a> {
    pub(super) tcb_info: &'a TcbInfo,
    pub(super) qe_identity: &'a QeIdentity,
    pub(super) platform: &'a PlatformClaims,
    pub(super) td: &'a TdReport,
    pub(super) qe_report: &'a QeReport,
}

/// What platform and module meet with one TEE_TCB_SVN.
struct Met<'a> {
    platform: &'a TcbLevel,
    module: Option<&'a SvnLevel>,
}

/// One level that was met, whatever of.
struct Level<'a> {
    status: TcbStatus,
    date: UnixTime,
    advisory_ids: &'a [String],
}

impl<'a> Appraisal<'a> {
    pub(super) fn judge(&self) -> Result<TcbClaims, TdxError> {
        let qe = self.qe_identity.appraise(self.qe_report)?;
        self.check_platform()?;
        self.check_module_signer()?;
        let launch = self.met(&self.td.tee_tcb_svn)?;
        let current = match &self.td.v15 {
            Some(v15) => Some(self.met(&v15.tee_tcb_svn2)?),
            None => None,
        };
        let launched = launch.status().converge(qe.status);
        let now = current.as_ref().map(|met| met.status().converge(qe.status));
        let status = now.map_or(launched, |now| launched.check_for_relaunch(now));
        if status == TcbStatus::Revoked {
            return Err(TdxError::Revoked);
        }
        let mut levels = launch.levels();
        levels.push(Level::of(qe));
        levels.extend(current.iter().flat_map(Met::levels));
        Ok(TcbClaims {
            status,
            platform_status: launch.platform.status,
            module_status: launch.module.map(|level| level.status),
            current_status: current.as_ref().map(Met::status),
            qe_status: qe.status,
            date: oldest(levels.iter()).unwrap_or(launch.platform.date),
            out_of_date_since: oldest(levels.iter().filter(|level| !level.is_up_to_date())),
            advisory_ids: advisories(&levels),
            evaluation_data_number: self.tcb_info.tcb_evaluation_data_number,
            qe_evaluation_data_number: self.qe_identity.tcb_evaluation_data_number,
            components: self.components(),
        })
    }

    /// That TCB info is of this platform's family.
    fn check_platform(&self) -> Result<(), TdxError> {
        let is_same = self.tcb_info.fmspc.0 == self.platform.fmspc
            && self.tcb_info.pce_id.0 == self.platform.pce_id;
        is_same.then_some(()).ok_or(TdxError::Platform)
    }

    /// The identity of the module in `tee_tcb_svn`; `None` if that tells no version.
    fn module(&self, tee_tcb_svn: &[u8; 16]) -> Result<Option<&'a ModuleIdentity>, TdxError> {
        let [_, version, ..] = *tee_tcb_svn;
        if version == 0 {
            return Ok(None);
        }
        let identity = self.tcb_info.module(version);
        identity.map(Some).ok_or(TdxError::ModuleIdentity(version))
    }

    fn check_module_signer(&self) -> Result<(), TdxError> {
        match self.module(&self.td.tee_tcb_svn)? {
            Some(identity) => identity.signer().check(self.td),
            None => self.tcb_info.tdx_module.check(self.td),
        }
    }

    fn met(&self, tee_tcb_svn: &[u8; 16]) -> Result<Met<'a>, TdxError> {
        let [svn, ..] = *tee_tcb_svn;
        let module = match self.module(tee_tcb_svn)? {
            Some(identity) => Some(
                SvnLevel::met(&identity.levels, svn.into()).ok_or(TdxError::ModuleLevel(svn))?,
            ),
            None => None,
        };
        let mut levels = self.tcb_info.levels.iter();
        let platform = levels.find(|level| self.meets(level, tee_tcb_svn));
        Ok(Met {
            platform: platform.ok_or(TdxError::Level)?,
            module,
        })
    }

    fn meets(&self, level: &TcbLevel, tee_tcb_svn: &[u8; 16]) -> bool {
        compare(level, self.platform, tee_tcb_svn).all(|(_, has, needs)| has >= needs)
    }

    /// Against the lowest level that is UpToDate, or the highest of all.
    fn components(&self) -> Vec<ComponentSvn> {
        let svns = &self.td.tee_tcb_svn;
        let levels = &self.tcb_info.levels;
        let up_to_date = levels
            .iter()
            .rfind(|level| level.status == TcbStatus::UpToDate);
        let of_platform = up_to_date.or_else(|| levels.first()).into_iter();
        let of_platform = of_platform.flat_map(|level| {
            compare(level, self.platform, svns).map(|(component, has, needs)| ComponentSvn {
                component,
                name: name(level, component).to_owned(),
                has,
                needs,
            })
        });
        let svn = |component, has, levels: &[SvnLevel]| ComponentSvn {
            component,
            name: String::new(),
            has,
            needs: SvnLevel::needed(levels),
        };
        let [module_svn, ..] = *svns;
        let of_module = self.module(svns).ok().flatten();
        let of_module = of_module
            .map(|identity| svn(TcbComponent::Module, module_svn.into(), &identity.levels));
        let qe = &self.qe_identity.levels;
        let of_qe = svn(TcbComponent::Qe, self.qe_report.isv_svn, qe);
        let all = of_platform.chain(of_module).chain([of_qe]);
        all.filter(|svn| svn.needs > 0).collect()
    }
}

/// Each component with what it has and what `level` needs. Where TEE_TCB_SVN tells a module version, its first two bytes are
/// for the identity of that version to judge.
fn compare(
    level: &TcbLevel,
    platform: &PlatformClaims,
    tee_tcb_svn: &[u8; 16],
) -> impl Iterator<Item = (TcbComponent, u16, u16)> {
    let [_, version, ..] = *tee_tcb_svn;
    let of_module = if version == 0 { 0 } else { 2 };
    let pairs = |has: [u8; 16], needs: &[Component; 16]| {
        let needs = needs.each_ref().map(|component| component.svn);
        (1..=16).zip(has.into_iter().zip(needs))
    };
    let sgx = pairs(platform.components, &level.tcb.sgx)
        .map(|(number, (has, needs))| (TcbComponent::Sgx(number), has.into(), needs.into()));
    let tdx = pairs(*tee_tcb_svn, &level.tcb.tdx)
        .skip(of_module)
        .map(|(number, (has, needs))| (TcbComponent::Tdx(number), has.into(), needs.into()));
    let pce = (TcbComponent::Pce, platform.pce_svn, level.tcb.pce_svn);
    sgx.chain([pce]).chain(tdx)
}

fn name(level: &TcbLevel, component: TcbComponent) -> &str {
    match component {
        TcbComponent::Sgx(number) => nth(&level.tcb.sgx, number),
        TcbComponent::Tdx(number) => nth(&level.tcb.tdx, number),
        _ => "",
    }
}

fn nth(components: &[Component; 16], number: u8) -> &str {
    let index = usize::from(number).wrapping_sub(1);
    components.get(index).map_or("", Component::name)
}

impl Met<'_> {
    fn status(&self) -> TcbStatus {
        let module = self
            .module
            .map_or(TcbStatus::UpToDate, |level| level.status);
        self.platform.status.converge(module)
    }

    fn levels(&self) -> Vec<Level<'_>> {
        let platform = Level {
            status: self.platform.status,
            date: self.platform.date,
            advisory_ids: &self.platform.advisory_ids,
        };
        let module = self.module.map(Level::of);
        std::iter::once(platform).chain(module).collect()
    }
}

impl<'a> Level<'a> {
    fn of(level: &'a SvnLevel) -> Self {
        Self {
            status: level.status,
            date: level.date,
            advisory_ids: &level.advisory_ids,
        }
    }

    fn is_up_to_date(&self) -> bool {
        self.status == TcbStatus::UpToDate
    }
}

fn oldest<'a, 'b: 'a>(levels: impl Iterator<Item = &'a Level<'b>>) -> Option<UnixTime> {
    levels.map(|level| level.date).min()
}

/// Every advisory once, in the order of the levels.
fn advisories(levels: &[Level<'_>]) -> Vec<String> {
    let mut advisories: Vec<String> = Vec::new();
    for id in levels.iter().flat_map(|level| level.advisory_ids) {
        if !advisories.contains(id) {
            advisories.push(id.clone());
        }
    }
    advisories
}
