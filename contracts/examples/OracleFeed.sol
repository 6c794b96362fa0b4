// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRelayedConsumer} from "../interfaces/IRelayedConsumer.sol";
import {IViews} from "../interfaces/IViews.sol";
import {Deal, Task, TaskStatus} from "../types/Deals.sol";

/// @title OracleFeed
/// @notice A number that one app computes from one dataset in the enclaves of one pool, and nobody else can set. An example of
/// a contract that wants results from off the chain (ERC-1154): what it checks is what makes a result worth anything.
contract OracleFeed is IRelayedConsumer {
    /// @notice What a deal must be for its result to count.
    struct Terms {
        /// Who may ask: whoever does chooses the app's arguments.
        address requester;
        address app;
        /// Zero: the app needs none.
        address dataset;
        address workerpool;
        /// Bits that the deal's tag must have: those of a TDX enclave.
        bytes32 tag;
        /// Seconds from the deal to the result, at most.
        uint256 maxAge;
    }

    /// @notice Thrown when somebody else than the Hub, or the relay, brings a result.
    error NotDelivered(address sender);
    /// @notice Thrown for a task that has no result.
    error NotCompleted(bytes32 taskId, TaskStatus status);
    /// @notice Thrown when the deal of the task is not as wanted: `field` is the first of the terms that it breaks.
    error NotAsWanted(bytes32 taskId, string field);
    /// @notice Thrown when the result took longer than the terms allow.
    error TooOld(bytes32 taskId, uint256 age, uint256 maxAge);
    /// @notice Thrown when a result of a later deal is here already.
    error NotNewer(bytes32 taskId, uint256 askedAt, uint256 latest);
    /// @notice Thrown to a reader when the value is older than it wants, or was never set.
    error Stale(uint256 askedAt, uint256 maxAge);

    /// @notice A new value, as of the moment at which it was asked for (unix seconds).
    event Updated(bytes32 indexed taskId, int256 value, uint256 askedAt);

    IViews public immutable hub;
    address public immutable relay;
    Terms public terms;

    int256 private _value;
    /// @notice When the value was asked for: the start of its deal, in unix seconds; zero before the first.
    uint256 public askedAt;
    /// @notice The task that computed it.
    bytes32 public source;

    constructor(IViews hub_, address relay_, Terms memory terms_) {
        hub = hub_;
        relay = relay_;
        terms = terms_;
    }

    /// @inheritdoc IRelayedConsumer
    /// @dev Reverts for results that it would refuse: whoever cannot answer waits for nothing.
    function relayFor(bytes32 taskId) external view returns (address) {
        Deal memory deal = _checkResult(taskId);
        return deal.callback == address(this) ? relay : address(0);
    }

    /// @notice Takes the result `abi.encode(int256 value)` of a task.
    function receiveResult(bytes32 taskId, bytes calldata result) external {
        require(msg.sender == address(hub) || msg.sender == relay, NotDelivered(msg.sender));
        Deal memory deal = _checkResult(taskId);
        int256 value = abi.decode(result, (int256));
        (_value, askedAt, source) = (value, deal.startTime, taskId);
        emit Updated(taskId, value, deal.startTime);
    }

    /// @notice The value, not asked for longer ago than `maxAge` seconds. Readers choose how old is too old for them.
    function read(uint256 maxAge) external view returns (int256 value) {
        require(askedAt > 0 && block.timestamp - askedAt <= maxAge, Stale(askedAt, maxAge));
        return _value;
    }

    function _checkResult(bytes32 taskId) private view returns (Deal memory deal) {
        Task memory task = hub.viewTask(taskId);
        require(task.status == TaskStatus.COMPLETED, NotCompleted(taskId, task.status));
        deal = hub.viewDeal(task.dealid);
        Terms memory wanted = terms;
        require(deal.requester == wanted.requester, NotAsWanted(taskId, "requester"));
        require(deal.app.pointer == wanted.app, NotAsWanted(taskId, "app"));
        require(deal.dataset.pointer == wanted.dataset, NotAsWanted(taskId, "dataset"));
        require(deal.workerpool.pointer == wanted.workerpool, NotAsWanted(taskId, "workerpool"));
        require(deal.tag & wanted.tag == wanted.tag, NotAsWanted(taskId, "tag"));
        uint256 age = block.timestamp - deal.startTime;
        require(age <= wanted.maxAge, TooOld(taskId, age, wanted.maxAge));
        require(deal.startTime > askedAt, NotNewer(taskId, deal.startTime, askedAt));
    }
}
