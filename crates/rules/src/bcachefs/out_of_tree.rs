//! A filesystem that no longer comes with the kernel.

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "bcachefs-out-of-tree",
    summary: "bcachefs comes from outside the kernel, and a kernel without it does not mount it",
    page: include_str!("out_of_tree.md"),
    severity: Severity::Info,
    check: Check::Host(check),
    sources: &[
        Source::new(
            "NixOS, module tasks/filesystems/bcachefs.nix",
            "https://github.com/NixOS/nixpkgs/blob/master/nixos/modules/tasks/filesystems/bcachefs.nix",
        ),
        Source::new(
            "bcachefs-tools: building the kernel module with DKMS",
            "https://github.com/koverstreet/bcachefs-tools",
        ),
    ],
    verified: "Linux 6.18, which has no fs/bcachefs; NixOS 26.11",
};

fn check(machine: &Machine) -> Known<Verdict> {
    let Some(mount) = machine.layout.mounts.iter().find(|it| &*it.fs_type == "bcachefs") else {
        return Ok(NotApplicable);
    };
    let kernel = machine.facts.versions.kernel.as_ref().ok_or_else(|| {
        Missing::new(
            "which kernel runs: up to Linux 6.17 bcachefs comes with it",
            "`uname -a > versions.txt`",
        )
    })?;
    if !kernel.value.at_least(6, 18) {
        return Ok(Clear);
    }
    let mountpoint = &mount.mountpoint.value;
    let mut placed = Draft::new(
        machine
            .layout
            .device(mount.device_id)
            .map_or_else(|| mountpoint.to_string(), |device| device.path.to_string()),
        format!("{mountpoint} needs a kernel module that does not come with the kernel"),
    )
    .at(&mount.mountpoint.origin, "a bcachefs")
    .and(
        &kernel.origin,
        format!("Linux {} has no bcachefs of its own", kernel.value),
    );
    let pool = machine.pools().next();
    if let Some(pool) = &pool {
        placed = placed.and(
            &named_at(&pool.device.bindings, &pool.device.origin),
            "ZFS is built for kernels up to a highest version too",
        );
    }
    let mut argued = placed
        .because("bcachefs left the kernel with Linux 6.18; its module is built for the kernel of the configuration, and a kernel that it cannot be built for fails the build, or boots without the filesystem if the module is missing in it")
        .because("for a filesystem that only one group maintains outside the kernel, an older generation is no way back by itself: a newer module may have changed what is on the disks");
    if pool.is_some() {
        argued = argued
            .because("NixOS's module asks for the latest kernel (`lib.mkDefault`), and ZFS refuses a kernel that is newer than it knows: both together hold only while one kernel suits both")
            .severity(Severity::Warning);
    }
    Ok(argued
        .impact(Impact::unmeasured("updates of the kernel that cannot be made"))
        .cost("another filesystem means a new one, and copying everything")
        .verify("nixos-rebuild boot builds; modinfo -k KERNEL bcachefs tells the module of a kernel")
        .rollback("none is needed: nothing is changed")
        .advise(
            Reach::Reboot,
            "keep the backup on another filesystem, choose `boot.kernelPackages` by hand rather than by default, and look at each update of the kernel before it boots",
        ))
}
