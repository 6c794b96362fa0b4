// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title A contract that receives a task's result (ERC-1154)
interface IOracleConsumer {
    /// @notice Called once, after everybody is paid, with exactly `callbackgas` gas; whatever it does, the task stands.
    /// @dev Warning: check that `msg.sender` is the Hub and that the deal behind `taskId` is one you wanted.
    function receiveResult(bytes32 taskId, bytes calldata resultsCallback) external;
}
