// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ResultConsumer
/// @notice Keeps the last result it was called back with, and how much gas it was given.
contract ResultConsumer {
    event ResultReceived(bytes32 indexed taskId, bytes result, uint256 gas);

    address public sender;
    bytes32 public taskId;
    bytes public result;
    uint256 public count;

    function receiveResult(bytes32 taskId_, bytes calldata result_) external {
        uint256 gas = gasleft();
        sender = msg.sender;
        taskId = taskId_;
        result = result_;
        ++count;
        emit ResultReceived(taskId_, result_, gas);
    }
}
