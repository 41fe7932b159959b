# The rules of docs/policy.md that the benchmark's policies make use of, over the same values: `data.policy` is the document, `input` the claims.
package narthex

deny contains "policy.not_before" if input.now < data.policy.not_before

deny contains "policy.expired" if input.now > data.policy.expires

deny contains "policy.anchors" if not input.anchors in data.anchors

deny contains "policy.freshness" if input.now - input.verified_at > data.policy.freshness.max_age_seconds

deny contains "policy.collateral" if input.now > input.not_after

deny contains "policy.cpu" if not data.policy[input.tee]

deny contains "policy.model" if {
	data.policy.models
	not input.model in data.policy.models.accepted
}

accepted(values, digest) if {
	some value in values
	value.digest == digest
	not value.from > input.now
	not value.until < input.now
}

deny contains "policy.snp.product" if {
	input.snp
	not input.snp.product in data.policy.snp.products
}

deny contains "policy.snp.report_version" if input.snp.version < data.policy.snp.minimum_report_version

deny contains "policy.snp.vmpl" if {
	input.snp
	not input.snp.vmpl in data.policy.snp.vmpl
}

deny contains "policy.snp.signing_key" if {
	input.snp
	not input.snp.signing_key in data.policy.snp.signing_keys
}

deny contains "policy.snp.measurement" if {
	input.snp
	not accepted(data.policy.snp.measurements, input.snp.measurement)
}

deny contains "policy.snp.minimum_tcb" if {
	some floor in data.policy.snp.minimum_tcb
	floor.product == input.snp.product
	some field in data.policy.snp.tcb_fields
	some component in ["bootloader", "tee", "snp", "microcode"]
	input.snp.tcb[field][component] < floor[component]
}

deny contains "policy.snp.advisory" if {
	some advisory in data.policy.snp.advisories
	advisory.product == input.snp.product
	not advisory.from > input.now
	some field in data.policy.snp.tcb_fields
	input.snp.tcb[field][advisory.component] < advisory.minimum
}

deny contains "policy.snp.debug" if input.snp.debug

deny contains "policy.snp.guest_policy.reserved" if input.snp.reserved

deny contains "policy.snp.guest_policy" if {
	some flag, rule in data.policy.snp.guest_policy
	rule == "forbid"
	input.snp.guest_policy[flag]
}

deny contains "policy.snp.guest_policy" if {
	some flag, rule in data.policy.snp.guest_policy
	rule == "require"
	not input.snp.guest_policy[flag]
}

deny contains "policy.snp.platform_info" if {
	input.snp
	some flag in data.policy.snp.platform_info.required
	not input.snp.platform_info[flag]
}

deny contains "policy.tdx.status" if {
	input.tdx
	not input.tdx.status in data.policy.tdx.statuses
}

deny contains "policy.tdx.advisory" if {
	data.policy.tdx.advisories
	some id in input.tdx.advisories
	not accepted_advisory(id)
}

accepted_advisory(id) if {
	some advisory in data.policy.tdx.advisories
	advisory.id == id
	input.now <= advisory.until
}

deny contains "policy.tdx.evaluation_number" if input.tdx.evaluation_number < data.policy.tdx.minimum_evaluation_number

deny contains "policy.tdx.measurement" if {
	some register, digest in input.tdx.registers
	data.policy.tdx[register]
	not accepted(data.policy.tdx[register], digest)
}

deny contains "policy.tdx.service_td" if {
	data.policy.tdx.service_td == "forbid"
	input.tdx.service_td
}

deny contains "policy.tdx.debug" if input.tdx.debug

deny contains "policy.tdx.attributes" if {
	some flag, rule in data.policy.tdx.attributes
	rule == "forbid"
	input.tdx.attributes[flag]
}

deny contains "policy.tdx.attributes" if {
	input.tdx
	some flag, rule in data.policy.tdx.attributes
	rule == "require"
	not input.tdx.attributes[flag]
}

deny contains "policy.tdx.xfam" if {
	input.tdx
	some feature in data.policy.tdx.xfam.required
	not feature in input.tdx.xfam
}

deny contains "policy.tdx.xfam" if {
	some feature in input.tdx.xfam
	not feature in data.policy.tdx.xfam.required
	not feature in data.policy.tdx.xfam.allowed
}

gpus := [device | some device in input.devices; device.kind == "gpu"]

switches := [device | some device in input.devices; device.kind == "switch"]

deny contains "policy.gpu" if {
	count(input.devices) > 0
	not data.policy.gpu
}

deny contains "policy.gpu.count" if count(gpus) != data.policy.gpu.count

deny contains "policy.gpu.count" if count(switches) != data.policy.gpu.switches

deny contains "policy.gpu.topology" if {
	data.policy.gpu.topology == "whole"
	some gpu in gpus
	{link | some link in gpu.links} != {switch.id | some switch in switches}
}

deny contains "policy.gpu.topology" if {
	data.policy.gpu.topology == "whole"
	some switch in switches
	{link | some link in switch.links} != {gpu.id | some gpu in gpus}
}

deny contains "policy.gpu.architecture" if {
	some gpu in gpus
	not gpu.architecture in data.policy.gpu.architectures
}

deny contains "policy.gpu.chip" if {
	data.policy.gpu.chips
	some gpu in gpus
	not gpu.chip in data.policy.gpu.chips
}

deny contains "policy.gpu.mode" if {
	some gpu in gpus
	not gpu.mode in data.policy.gpu.modes
}

deny contains "policy.gpu.driver" if {
	some gpu in gpus
	not gpu.driver in data.policy.gpu.drivers
}

deny contains "policy.gpu.vbios" if {
	some device in input.devices
	not device.vbios in data.policy.gpu.vbios
}

listed(id) if {
	entry := data.inventory[id]
	not entry.valid_from > input.now
	not entry.valid_until < input.now
}

deny contains "policy.residency.unlisted" if {
	data.policy.residency
	some id in input.hardware
	not listed(id)
}

deny contains "policy.residency.country" if {
	data.policy.residency
	some id in input.hardware
	not data.inventory[id].country in data.policy.residency.countries
}
