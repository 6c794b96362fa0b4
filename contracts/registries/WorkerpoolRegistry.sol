// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IWorkerpool} from "../interfaces/IWorkerpool.sol";
import {IWorkerpoolRegistry} from "../interfaces/IWorkerpoolRegistry.sol";
import {Fields} from "./Fields.sol";
import {Registry} from "./Registry.sol";
import {Workerpool} from "./Workerpool.sol";

/// @title WorkerpoolRegistry
/// @notice Keeps the policies of its pools beside their owners, so that a match reads both from one slot.
contract WorkerpoolRegistry is Registry, IWorkerpoolRegistry {
    /// @dev What a pool has until its owner says otherwise, in percent.
    uint256 private constant DEFAULT_STAKE_RATIO = 30;
    uint256 private constant DEFAULT_REWARD_RATIO = 1;

    /// @dev A policy in the attributes of a token: one set bit, 7 bits of reward ratio, 48 bits of stake ratio. Zero
    /// means the defaults. A stake ratio of 48 set bits or more is kept in `_wideStakeRatios`.
    uint256 private constant POLICY_IS_SET = 1;
    uint256 private constant REWARD_SHIFT = 1;
    uint256 private constant STAKE_SHIFT = 8;
    uint256 private constant WIDE_STAKE_RATIO = type(uint56).max >> STAKE_SHIFT;

    mapping(address workerpool => uint256 ratio) private _wideStakeRatios;

    constructor(
        address owner_
    ) ERC721("Sealdeal Workerpools", "SEALPOOL") Ownable(owner_) Registry(address(new Workerpool())) {}

    /// @inheritdoc IWorkerpoolRegistry
    function createWorkerpool(address owner, string calldata description) external returns (address) {
        return _create(owner, Fields.pack(bytes(description)));
    }

    /// @inheritdoc IWorkerpoolRegistry
    function setPolicy(uint256 workerStakeRatio, uint256 schedulerRewardRatio) external {
        Token storage token = _tokens[_id(msg.sender)];
        require(token.owner != address(0), CallerIsNotAWorkerpool(msg.sender));

        uint256 stakeRatio = workerStakeRatio;
        if (stakeRatio >= WIDE_STAKE_RATIO) {
            stakeRatio = WIDE_STAKE_RATIO;
            _wideStakeRatios[msg.sender] = workerStakeRatio;
        }
        // The workerpool lets no reward ratio above 100 through, so both fit.
        token.attributes = uint56((stakeRatio << STAKE_SHIFT) | (schedulerRewardRatio << REWARD_SHIFT) | POLICY_IS_SET);
    }

    /// @inheritdoc IWorkerpoolRegistry
    function predictWorkerpool(address owner, string calldata description) external view returns (address) {
        return _predict(owner, Fields.pack(bytes(description)));
    }

    /// @inheritdoc IWorkerpoolRegistry
    function termsOf(
        address workerpool
    ) external view returns (address owner, uint256 workerStakeRatio, uint256 schedulerRewardRatio) {
        owner = registrantOf(workerpool);
        if (owner == address(0)) return (address(0), 0, 0);
        Token storage token = _tokens[_id(workerpool)];
        if (token.owner == address(0)) return (owner, _stakeRatioBefore(workerpool), _rewardRatioBefore(workerpool));

        uint256 attributes = token.attributes;
        if (attributes == 0) return (owner, DEFAULT_STAKE_RATIO, DEFAULT_REWARD_RATIO);
        workerStakeRatio = attributes >> STAKE_SHIFT;
        if (workerStakeRatio == WIDE_STAKE_RATIO) workerStakeRatio = _wideStakeRatios[workerpool];
        schedulerRewardRatio = uint8(attributes) >> REWARD_SHIFT;
    }

    /// @dev A pool of a previous registry keeps its policy where that registry keeps it.
    function _stakeRatioBefore(address workerpool) private view returns (uint256) {
        return IWorkerpool(workerpool).m_workerStakeRatioPolicy();
    }

    function _rewardRatioBefore(address workerpool) private view returns (uint256) {
        return IWorkerpool(workerpool).m_schedulerRewardRatioPolicy();
    }
}
