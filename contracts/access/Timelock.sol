// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Timelock
/// @notice Owns Hub and registries on real networks: whatever their owner may change is announced on chain beforehand.
/// @dev Nobody administers it but itself, so even delay and roles change only after the delay.
contract Timelock is TimelockController {
    /// @param minDelay Seconds between announcing a change and making it.
    /// @param proposers Who may announce changes, and withdraw what was announced.
    /// @param executors Who may make them afterwards; the zero address stands for everybody.
    constructor(
        uint256 minDelay,
        address[] memory proposers,
        address[] memory executors
    ) TimelockController(minDelay, proposers, executors, address(0)) {}
}
