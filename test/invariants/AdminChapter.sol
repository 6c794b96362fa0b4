// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "../../contracts/interfaces/IAdmin.sol";
import {IViews} from "../../contracts/interfaces/IViews.sol";
import {ConsensusChapter} from "./ConsensusChapter.sol";
import {vm} from "./Vm.sol";

/// @title AdminChapter
/// @notice The owner sets what may be set, strangers try to, and everybody tries what is refused for ever.
abstract contract AdminChapter is ConsensusChapter {
    uint256 private constant LONG = 1 << 34;

    address internal _owner;

    function transferOwnership(uint256 seed) external action(seed) {
        address caller = _caller();
        address to = _chance(8) ? NOBODY : _someone();
        bool allowed = caller == _owner && to != NOBODY;
        _actIf(allowed, caller, abi.encodeCall(IAdmin.transferOwnership, (to)));
        if (allowed) _owner = to;
    }

    function createCategory(uint256 seed) external action(seed) {
        address caller = _caller();
        uint256 time = _chance(8) ? type(uint256).max >> _draw(192) : _draw(400);
        bool allowed = caller == _owner && time <= type(uint64).max;
        _actIf(allowed, caller, abi.encodeCall(IAdmin.createCategory, ("category", "", time)));
        if (allowed) _timerefs.push(time);
    }

    function setTeeBroker(uint256 seed) external action(seed) {
        address caller = _caller();
        address broker =
            _chance(2)
                ? NOBODY
                : _chance(3)
                    ? _someone()
                    : vm.addr(BROKER_KEY);
        _actIf(caller == _owner, caller, abi.encodeCall(IAdmin.setTeeBroker, (broker)));
        if (caller == _owner) _broker = broker;
    }

    /// @dev At times more than any transaction has, or more than fits.
    function setCallbackGas(uint256 seed) external action(seed) {
        address caller = _caller();
        uint256 callbackGas = _chance(16) ? type(uint256).max >> _draw(192) : _draw(500_000);
        bool allowed = caller == _owner && callbackGas <= type(uint96).max;
        _actIf(allowed, caller, abi.encodeCall(IAdmin.setCallbackGas, (callbackGas)));
        if (allowed) _callbackGas = callbackGas;
    }

    function updateDomainSeparator(uint256 seed) external action(seed) {
        _actIf(true, _someone(), abi.encodeCall(IViews.updateDomainSeparator, ()));
    }

    function configure(uint256 seed) external action(seed) {
        address other = _someone();
        bytes memory data = abi.encodeCall(IViews.configure, (other, "", "", 9, other, other, other, other));
        _actIf(false, _caller(), data);
    }

    function changeRegistries(uint256 seed) external action(seed) {
        _actIf(false, _caller(), abi.encodeCall(IViews.changeRegistries, (_someone(), _someone(), _someone())));
    }

    function renounceOwnership(uint256 seed) external action(seed) {
        _actIf(false, _caller(), abi.encodeCall(IViews.renounceOwnership, ()));
    }

    function importScore(uint256 seed) external action(seed) {
        _actIf(false, _caller(), abi.encodeCall(IViews.importScore, (_someone())));
    }

    function _caller() internal returns (address) {
        return _chance(4) ? _someone() : _owner;
    }

    /// @dev More of them than a byte can count; one without any time, one that outlasts everything.
    function _times() internal returns (uint256[] memory) {
        for (uint256 i = 0; i < 258; ++i) {
            _timerefs.push(60 + i);
        }
        _timerefs[2] = LONG;
        _timerefs[3] = 0;
        return _timerefs;
    }
}
