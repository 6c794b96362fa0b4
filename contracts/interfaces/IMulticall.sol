// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Multicall: several calls of one account in one transaction
interface IMulticall {
    /// @notice Thrown when call number `index` (from zero) failed with `reason`; nothing of any call is left.
    error CallFailed(uint256 index, bytes reason);

    /// @notice Makes all `calls` of this contract in their order, each as if the caller had made it; one failure reverts
    /// all.
    /// @dev Where the escrow holds the chain's own currency, what comes along is deposited for the caller before the first
    /// call; the calls themselves carry nothing. Elsewhere nothing may come along.
    /// @return answers What each call returned.
    function multicall(bytes[] calldata calls) external payable returns (bytes[] memory answers);
}
