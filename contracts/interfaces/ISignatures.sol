// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Signatures: is this digest approved by that account
/// @notice Tried in this order: the account's own key (65 bytes, or 64 bytes of EIP-2098; `s` in the upper half is
/// refused), the presignature stored on chain, ERC-1271. An answerer that reverts, burns its gas, is absent or answers
/// anything but the agreed value has refused.
interface ISignatures {
    /// @notice Whether `account` signed `hash`, by its key or by ERC-1271.
    function verifySignature(address account, bytes32 hash, bytes calldata signature) external view returns (bool);

    /// @notice Whether `account` approved `hash` by a transaction.
    function verifyPresignature(address account, bytes32 hash) external view returns (bool);

    /// @notice Either of the two.
    function verifyPresignatureOrSignature(
        address account,
        bytes32 hash,
        bytes calldata signature
    ) external view returns (bool);
}
