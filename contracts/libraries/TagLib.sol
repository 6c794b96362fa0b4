// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title TagLib: the bits of a tag
/// @notice Bit 0 asks for an enclave, bits 1 to 3 name its kind (Scone, Gramine, TDX), the others are free.
library TagLib {
    bytes32 private constant ENCLAVE = bytes32(uint256(1));
    bytes32 private constant ENCLAVE_KINDS = bytes32(uint256(14));

    /// @notice What a deal asks for. The kind of enclave is the choice of app and requester, not of the dataset.
    function combine(bytes32 app, bytes32 dataset, bytes32 request) internal pure returns (bytes32) {
        return app | withoutKind(dataset) | request;
    }

    function withoutKind(bytes32 tag) internal pure returns (bytes32) {
        return tag & ~ENCLAVE_KINDS;
    }

    /// @notice Whether `offer` has every bit of `demand`.
    function covers(bytes32 offer, bytes32 demand) internal pure returns (bool) {
        return demand & ~offer == 0;
    }

    function needsEnclave(bytes32 tag) internal pure returns (bool) {
        return tag & ENCLAVE != 0;
    }
}
