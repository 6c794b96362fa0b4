// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRelayedConsumer} from "../interfaces/IRelayedConsumer.sol";

/// @title HungryConsumer
/// @notice Takes results from the Hub and from one relay, and needs more gas for each than the Hub gives.
contract HungryConsumer is IRelayedConsumer {
    enum Manner {
        PROPER,
        REFUSES,
        FORGETS
    }

    error NotForUs(address sender);
    error Unwilling(uint256 value);

    address public immutable hub;
    address public immutable relay;
    Manner public immutable manner;

    mapping(bytes32 taskId => bytes) public resultOf;
    mapping(bytes32 taskId => uint256) public countOf;
    mapping(uint256 => uint256) private _ballast;

    constructor(address hub_, address relay_, Manner manner_) {
        hub = hub_;
        relay = relay_;
        manner = manner_;
    }

    /// @inheritdoc IRelayedConsumer
    function relayFor(bytes32 taskId) external view returns (address) {
        return countOf[taskId] == 0 || manner == Manner.FORGETS ? relay : address(0);
    }

    function receiveResult(bytes32 taskId, bytes calldata result) external {
        require(msg.sender == hub || msg.sender == relay, NotForUs(msg.sender));
        require(manner != Manner.REFUSES, Unwilling(42));
        uint256 count = ++countOf[taskId];
        // Twelve new slots: more than the Hub's 200,000 gas.
        for (uint256 slot = 0; slot < 12; ++slot) _ballast[uint256(keccak256(abi.encode(taskId, count, slot)))] = 1;
        resultOf[taskId] = result;
    }
}
