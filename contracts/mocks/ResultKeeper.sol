// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ResultKeeper
/// @notice Does what a plain consumer does with results: keeps each under its task, and tells.
contract ResultKeeper {
    event ResultKept(bytes32 indexed taskId, bytes result);

    mapping(bytes32 taskId => bytes) public resultOf;
    bytes32 public lastTaskId;

    function receiveResult(bytes32 taskId, bytes calldata result) external {
        resultOf[taskId] = result;
        lastTaskId = taskId;
        emit ResultKept(taskId, result);
    }
}
